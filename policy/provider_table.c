#include "policy/provider_table.h"

static struct slice without_last_dot(struct slice name)
{
    return name.len && name.data[name.len - 1] == '.' ? slice_head(name, name.len - 1) : name;
}

static bool name_fits(struct slice pattern, struct slice name)
{
    if (pattern.len && pattern.data[0] == '.')
        return name.len > pattern.len && slice_ends_with_ignoring_case(name, pattern);
    return slice_equal_ignoring_case(pattern, name);
}

static bool any_fits(const struct slice *patterns, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (name_fits(patterns[i], name))
            return true;
    return false;
}

static bool has_host(const struct provider_entry *entry, struct slice host)
{
    return any_fits(entry->mx, entry->n_mx, host) &&
           !any_fits(entry->not_mx, entry->n_not_mx, host);
}

static const struct provider_entry *owner_of(const struct provider_table *table, struct slice host)
{
    for (size_t i = 0; i < table->n_entries; i++)
        if (has_host(&table->entries[i], host))
            return &table->entries[i];
    return NULL;
}

const struct provider_entry *provider_table_named(const struct provider_table *table,
                                                  struct slice name)
{
    for (size_t i = 0; i < table->n_entries; i++)
        if (slice_equal(table->entries[i].name, name))
            return &table->entries[i];
    return NULL;
}

static const struct provider_entry *by_domain(const struct provider_table *table,
                                              struct slice domain)
{
    for (size_t i = 0; i < table->n_entries; i++)
        if (any_fits(table->entries[i].domains, table->entries[i].n_domains, domain))
            return &table->entries[i];
    return NULL;
}

const struct provider_entry *provider_table_match(const struct provider_table *table,
                                                  struct slice domain, const struct slice *hosts,
                                                  size_t n_hosts)
{
    const struct provider_entry *entry = by_domain(table, without_last_dot(domain));
    const struct provider_entry *first;
    bool is_mixed = false;

    if (entry || n_hosts == 0)
        return entry;
    first = owner_of(table, without_last_dot(hosts[0]));
    entry = first;
    for (size_t i = 1; i < n_hosts; i++) {
        const struct provider_entry *other = owner_of(table, without_last_dot(hosts[i]));

        is_mixed |= other != first;
        if (!entry)
            entry = other;
    }
    if (!is_mixed)
        return first;
    return entry ? table->mixed : NULL;
}
