/* The recipient domains of a schedule, and the sites they lead to. */
#include <string.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"

static bool is_domain(const void *thing, const void *key)
{
    const struct domain *domain = thing;

    return slice_equal_ignoring_case(slice_of(domain->name), *(const struct slice *)key);
}

struct domain *schedule_domain(struct schedule *schedule, struct slice name)
{
    return table_find(&schedule->domain_table, table_hash_ignoring_case(name), is_domain, &name);
}

static char *lower_copy(struct slice name)
{
    char *copy = slice_to_string(name);

    for (char *c = copy; c && *c; c++)
        *c = ascii_lower(*c);
    return copy;
}

struct domain *domain_make(struct schedule *schedule, struct slice name)
{
    struct domain *domain = schedule_domain(schedule, name);

    if (domain)
        return domain;
    domain = pool_take(&schedule->domains);
    if (!domain)
        return NULL;
    list_init(&domain->unrouted);
    list_init(&domain->routing_link);
    list_init(&domain->owner_link);
    domain->hash = table_hash_ignoring_case(name);
    domain->name = lower_copy(name);
    if (!domain->name || table_add(&schedule->domain_table, domain->hash, domain) < 0) {
        free(domain->name);
        pool_give(&schedule->domains, domain);
        return NULL;
    }
    return domain;
}

static void lead_to(struct domain *domain, struct site *site)
{
    if (domain->site)
        domain->site->n_domains--;
    domain->site = site;
    if (site)
        site->n_domains++;
}

void domain_release(struct schedule *schedule, struct domain *domain)
{
    if (--domain->n_entries > 0)
        return;
    lead_to(domain, NULL);
    list_remove(&domain->routing_link);
    list_remove(&domain->owner_link);
    table_remove(&schedule->domain_table, domain->hash, domain);
    free(domain->name);
    pool_give(&schedule->domains, domain);
}

void domain_want(struct schedule *schedule, struct domain *domain)
{
    if (domain->is_asked)
        return;
    domain->is_asked = true;
    schedule->hooks.on_domain_wanted(schedule->hooks.owner, domain);
}

void schedule_route(struct schedule *schedule, struct domain *domain, struct site *site,
                    int64_t fresh_until_ms)
{
    domain->is_asked = false;
    domain->fresh_until_ms = fresh_until_ms;
    lead_to(domain, site);
    list_remove(&domain->routing_link);
    if (site && domain->n_unrouted > 0)
        list_append(&schedule->routing_domains, &domain->routing_link);
}

struct entry *schedule_take_unrouted(struct schedule *schedule, struct domain *domain)
{
    struct entry *entry;

    if (list_is_empty(&domain->unrouted))
        return NULL;
    entry = CONTAINER_OF(domain->unrouted.next, struct entry, link);
    schedule_take(schedule, entry);
    return entry;
}

void schedule_reconsider(struct schedule *schedule, struct domain *domain)
{
    domain->fresh_until_ms = INT64_MIN;
    domain_want(schedule, domain);
}

void schedule_reconsider_all(struct schedule *schedule)
{
    const struct table *table = &schedule->domain_table;

    for (uint32_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].thing)
            schedule_reconsider(schedule, table->slots[i].thing);
}
