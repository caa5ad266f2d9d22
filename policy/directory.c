#include "policy/directory_internal.h"

#include <errno.h>

#include "relay/base/list.h"
#include "relay/base/secret.h"

static struct full_directory *full_of(const struct directory *directory)
{
    return CONTAINER_OF(directory, struct full_directory, shown);
}

struct directory *directory_ref(struct directory *directory)
{
    atomic_fetch_add(&full_of(directory)->n_references, 1);
    return directory;
}

void directory_unref(struct directory *directory)
{
    struct full_directory *full = directory ? full_of(directory) : NULL;

    if (!full || atomic_fetch_sub(&full->n_references, 1) != 1)
        return;
    networks_free(full->network_table);
    arena_reset(&full->arena);
    free(full);
}

/* ---- the tables that find ---- */

static uint32_t *place_of(const struct full_directory *full, struct slice name)
{
    uint32_t place = (uint32_t)table_hash_ignoring_case(name) & full->by_name_mask;

    while (full->by_name[place] &&
           !slice_equal_ignoring_case(full->shown.users[full->by_name[place] - 1].name, name))
        place = (place + 1) & full->by_name_mask;
    return &full->by_name[place];
}

/* qsort_r() hands the users along. */
static int compare_ids(const void *a, const void *b, void *users)
{
    const struct user *all = users;
    uint32_t left = all[*(const uint32_t *)a].id, right = all[*(const uint32_t *)b].id;

    return (left > right) - (left < right);
}

int directory_index(struct full_directory *full)
{
    uint32_t n_users = full->shown.n_users, n_places = 16;

    while (n_places < n_users * 2)
        n_places *= 2;
    full->by_name_mask = n_places - 1;
    full->by_name = arena_alloc(&full->arena, n_places * sizeof(uint32_t));
    full->by_id = arena_alloc(&full->arena, (n_users + 1) * sizeof(uint32_t));
    if (!full->by_name || !full->by_id)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < n_users; i++) {
        *place_of(full, full->shown.users[i].name) = i + 1;
        full->by_id[i] = i;
    }
    qsort_r(full->by_id, n_users, sizeof(uint32_t), compare_ids, (void *)full->shown.users);
    return networks_build(&full->network_table, full->shown.networks, full->shown.n_networks);
}

/* ---- finding ---- */

const struct user *directory_user(const struct directory *directory, struct slice name)
{
    uint32_t index = *place_of(full_of(directory), name);

    return index ? &directory->users[index - 1] : NULL;
}

const struct user *directory_user_by_id(const struct directory *directory, uint32_t id)
{
    const struct full_directory *full = full_of(directory);
    uint32_t low = 0, high = directory->n_users;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct user *user = &directory->users[full->by_id[middle]];

        if (user->id == id)
            return user;
        if (user->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct user *directory_user_of_network(const struct directory *directory,
                                             struct ip_address peer)
{
    const struct network_rule *rule = networks_find(full_of(directory)->network_table, peer);

    return rule ? directory_user_by_id(directory, rule->user_id) : NULL;
}

/* The order of SQLite's BINARY collation, which both lists come in; names are ASCII. */
static int compare_names(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < shorter; i++) {
        int difference = (unsigned char)ascii_lower(a.data[i]) - (unsigned char)b.data[i];

        if (difference)
            return difference;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_domain(const void *name, const void *domain)
{
    return compare_names(*(const struct slice *)name,
                         ((const struct signing_domain *)domain)->name);
}

static int compare_order(const void *name, const void *order)
{
    return compare_names(*(const struct slice *)name, ((const struct order *)order)->name);
}

const struct signing_domain *directory_domain(const struct directory *directory, struct slice name)
{
    return directory->n_domains ? bsearch(&name, directory->domains, directory->n_domains,
                                          sizeof(directory->domains[0]), compare_domain)
                                : NULL;
}

bool signing_domain_has_active_key(const struct signing_domain *domain)
{
    for (uint32_t i = 0; i < domain->n_keys; i++)
        if (domain->keys[i].is_active)
            return true;
    return false;
}

bool directory_may_sign(const struct directory *directory, struct slice domain)
{
    while (domain.len > 0 && directory->n_domains > 0) {
        const struct signing_domain *found = directory_domain(directory, domain);
        ptrdiff_t dot = slice_find(domain, '.');

        if (found && signing_domain_has_active_key(found))
            return true;
        domain = dot < 0 ? (struct slice){NULL, 0} : slice_skip(domain, (size_t)dot + 1);
    }
    return false;
}

const struct order *directory_order(const struct directory *directory, enum order_scope scope,
                                    enum order_action action, struct slice name, int64_t utc_ms)
{
    const struct order *end = directory->orders + directory->n_orders;
    const struct order *order = NULL;

    if (directory->n_orders)
        order = bsearch(&name, directory->orders, directory->n_orders, sizeof(directory->orders[0]),
                        compare_order);
    while (order && order > directory->orders && compare_order(&name, order - 1) == 0)
        order--;
    for (; order && order < end && compare_order(&name, order) == 0; order++)
        if (order->scope == scope && order->action == action)
            return order_is_in_force(order, utc_ms) ? order : NULL;
    return NULL;
}

const struct credential *user_credential(const struct user *user, uint32_t id)
{
    for (uint32_t i = 0; i < user->n_credentials; i++)
        if (user->credentials[i].id == id)
            return &user->credentials[i];
    return NULL;
}

bool credential_is_allowed_from(const struct credential *credential, struct ip_address peer)
{
    if (!credential->n_networks)
        return true;
    for (uint32_t i = 0; i < credential->n_networks; i++)
        if (network_contains(&credential->networks[i], peer))
            return true;
    return false;
}
