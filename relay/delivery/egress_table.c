#include "relay/delivery/egress_table.h"

#include <errno.h>

/* ---- addresses ---- */

static struct slice copy(struct arena *arena, const char *text, bool *is_out_of_memory)
{
    struct slice made = arena_copy(arena, slice_of(text ? text : ""));

    *is_out_of_memory |= !made.data;
    return made;
}

static struct ip_address first_of(const struct ip_address *list, size_t n, int family)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].family == family)
            return list[i];
    return (struct ip_address){.family = 0};
}

static bool is_same_address(const struct egress_address *a, const struct egress_address *b)
{
    return a->is_used == b->is_used && ip_equal(a->v4, b->v4) && ip_equal(a->v6, b->v6);
}

/* The number it had, else one that nobody had, else any. */
static int number_for(const struct egress_table *table, const struct egress_table *former,
                      const struct egress_address *address)
{
    int free_one = -1;

    for (int n = 1; n < EGRESS_MOST; n++) {
        if (table->addresses[n].is_used)
            continue;
        if (former && is_same_address(&former->addresses[n], address))
            return n;
        if (free_one < 0 ||
            (former && former->addresses[free_one].is_used && !former->addresses[n].is_used))
            free_one = n;
    }
    return free_one;
}

static bool had_number(const struct egress_table *former, const struct egress_address *address)
{
    for (int n = 1; former && n < EGRESS_MOST; n++)
        if (is_same_address(&former->addresses[n], address))
            return true;
    return false;
}

/* Those of before first: their numbers must be free. */
static int add_addresses(struct egress_table *table, const struct delivery_settings *settings,
                         const struct egress_table *former, struct arena *arena, bool of_before)
{
    bool is_out_of_memory = false;

    for (size_t i = 0; i < settings->n_egress; i++) {
        const struct delivery_egress *one = &settings->egress[i];
        struct egress_address address = {
            .is_used = true,
            .v4 = one->v4,
            .v6 = one->v6,
            .weight = one->weight,
            .warm_up = one->warm_up,
        };
        int number;

        if (had_number(former, &address) != of_before)
            continue;
        number = number_for(table, former, &address);
        if (number < 0)
            return FAULT(-EINVAL);
        address.name = copy(arena, one->name, &is_out_of_memory);
        address.hostname = copy(arena, one->hostname, &is_out_of_memory);
        table->addresses[number] = address;
    }
    return is_out_of_memory ? FAULT(-ENOMEM) : 0;
}

/* ---- pools ---- */

static const struct slice *copy_texts(struct arena *arena, const char *const *texts, size_t n)
{
    struct slice *list = arena_alloc(arena, (n + 1) * sizeof(*list));
    bool is_out_of_memory = !list;

    for (size_t i = 0; list && i < n; i++)
        list[i] = copy(arena, texts[i], &is_out_of_memory);
    return is_out_of_memory ? NULL : list;
}

static bool add_member(const struct egress_table *table, const char *name, uint16_t *members)
{
    for (int n = 1; n < EGRESS_MOST; n++)
        if (table->addresses[n].is_used && slice_equal(table->addresses[n].name, slice_of(name))) {
            *members |= (uint16_t)(1U << n);
            return true;
        }
    return false;
}

static int fill_pool(const struct egress_table *table, struct egress_pool *pool,
                     const struct delivery_pool *from, struct arena *arena)
{
    bool is_out_of_memory = false;

    *pool = (struct egress_pool){
        .name = copy(arena, from->name, &is_out_of_memory),
        .users = copy_texts(arena, from->users, from->n_users),
        .n_users = from->n_users,
        .domains = copy_texts(arena, from->domains, from->n_domains),
        .n_domains = from->n_domains,
        .message_class = from->message_class,
    };
    if (is_out_of_memory || !pool->users || !pool->domains)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < from->n_egress; i++)
        if (!add_member(table, from->egress[i], &pool->members))
            return FAULT(-EINVAL);
    return 0;
}

static bool is_default(const struct delivery_pool *pool)
{
    return slice_equal(slice_of(pool->name), SLICE_LITERAL("default"));
}

/* Mail that is queued knows its pool by number: a name keeps the one it had, and a new name gets
 * one that none had, if there is one. */
static int add_pool(struct egress_table *table, const struct delivery_pool *pool,
                    const struct egress_table *former, struct arena *arena)
{
    int number = former ? egress_table_pool_named(former, slice_of(pool->name)) : -1;

    for (int i = 1; number < 0 && i < POOL_MOST; i++)
        if (!table->pools[i].name.len && !(former && former->pools[i].name.len))
            number = i;
    for (int i = 1; number < 0 && i < POOL_MOST; i++)
        if (!table->pools[i].name.len)
            number = i;
    if (number < 0)
        return FAULT(-EINVAL);
    if (table->n_pools <= (size_t)number)
        table->n_pools = (size_t)number + 1;
    return fill_pool(table, &table->pools[number], pool, arena);
}

static bool is_known_pool(const struct egress_table *former, const struct delivery_pool *pool)
{
    return former && egress_table_pool_named(former, slice_of(pool->name)) >= 0;
}

/* Those of before first: their numbers must be free. */
static int add_other_pools(struct egress_table *table, const struct delivery_settings *settings,
                           const struct egress_table *former, struct arena *arena, bool of_before)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < settings->n_pools; i++)
        if (!is_default(&settings->pools[i]) &&
            is_known_pool(former, &settings->pools[i]) == of_before)
            error = add_pool(table, &settings->pools[i], former, arena);
    return error;
}

static int add_pools(struct egress_table *table, const struct delivery_settings *settings,
                     const struct egress_table *former, struct arena *arena)
{
    int error = 0;

    for (int i = 0; i < POOL_MOST; i++)
        table->pools[i].message_class = -1;
    table->pools[0] =
        (struct egress_pool){.name = SLICE_LITERAL("default"), .members = 1, .message_class = -1};
    table->n_pools = 1;
    for (size_t i = 0; error == 0 && i < settings->n_pools; i++)
        if (is_default(&settings->pools[i]))
            error = fill_pool(table, &table->pools[0], &settings->pools[i], arena);
    if (error == 0)
        error = add_other_pools(table, settings, former, arena, true);
    if (error == 0)
        error = add_other_pools(table, settings, former, arena, false);
    return error;
}

int egress_table_fill(struct egress_table *table, const struct delivery_settings *settings,
                      const struct egress_table *former, struct arena *arena)
{
    int error;

    *table = (struct egress_table){.n_pools = 0};
    table->addresses[0] = (struct egress_address){
        .is_used = true,
        .v4 = first_of(settings->binds, settings->n_binds, AF_INET),
        .v6 = first_of(settings->binds, settings->n_binds, AF_INET6),
        .weight = 1,
    };
    error = add_addresses(table, settings, former, arena, true);
    if (error == 0)
        error = add_addresses(table, settings, former, arena, false);
    return error < 0 ? error : add_pools(table, settings, former, arena);
}

/* ---- what it says ---- */

static bool lists(const struct slice *list, size_t n, struct slice text)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal_ignoring_case(list[i], text))
            return true;
    return false;
}

uint32_t egress_table_pool(const struct egress_table *table, struct slice user, struct slice sender,
                           enum message_class message_class)
{
    struct slice domain = slice_skip(sender, (size_t)(slice_find_last(sender, '@') + 1));
    uint32_t by_domain = 0, by_class = 0;

    for (uint32_t i = 0; i < table->n_pools; i++) {
        const struct egress_pool *pool = &table->pools[i];

        if (user.len && lists(pool->users, pool->n_users, user))
            return i;
        if (!by_domain && domain.len && lists(pool->domains, pool->n_domains, domain))
            by_domain = i;
        if (!by_class && pool->message_class == (int)message_class)
            by_class = i;
    }
    return by_domain ? by_domain : by_class;
}

int egress_table_pool_named(const struct egress_table *table, struct slice name)
{
    for (size_t i = 0; name.len && i < table->n_pools; i++)
        if (slice_equal(table->pools[i].name, name))
            return (int)i;
    return -1;
}

void egress_table_plan(const struct egress_table *table, struct egress_plan *out)
{
    *out = (struct egress_plan){.weights = {0}};
    for (uint32_t i = 0; i < EGRESS_MOST; i++)
        out->weights[i] = table->addresses[i].weight;
    /* Mail of a pool that a reload took away leaves by the default one. */
    for (uint32_t i = 0; i < POOL_MOST; i++)
        out->pools[i] = table->pools[table->pools[i].name.len ? i : 0].members;
}

/* Who stands in for these, and for those of them who are led away, too. */
static uint16_t stand_in(const struct egress_plan *plan, const int8_t to[EGRESS_MOST],
                         uint16_t members)
{
    uint16_t seen = 0, left = 0, todo = members;

    while (todo) {
        int n = __builtin_ctz(todo);

        seen |= (uint16_t)(1U << n);
        if (to[n] < 0)
            left |= (uint16_t)(1U << n);
        else
            todo |= plan->pools[to[n]];
        todo &= (uint16_t)~seen;
    }
    return left;
}

void egress_plan_lead(struct egress_plan *plan, const int8_t to[EGRESS_MOST])
{
    const struct egress_plan configured = *plan;

    for (int i = 0; i < POOL_MOST; i++)
        plan->pools[i] = stand_in(&configured, to, configured.pools[i]);
}

bool egress_table_bind(const struct egress_table *table, uint32_t egress, int family,
                       struct ip_address *out)
{
    const struct egress_address *address = &table->addresses[egress];
    struct ip_address own = family == AF_INET6 ? address->v6 : address->v4;

    if (!own.family)
        return false;
    *out = own;
    return true;
}

int egress_table_find(const struct egress_table *table, struct ip_address address)
{
    for (int n = 0; n < EGRESS_MOST; n++)
        if (table->addresses[n].is_used && (ip_equal(table->addresses[n].v4, address) ||
                                            ip_equal(table->addresses[n].v6, address)))
            return n;
    return -1;
}

uint32_t egress_table_moved(const struct egress_table *former, const struct egress_table *table)
{
    uint32_t moved = 0;

    for (int n = 0; n < EGRESS_MOST; n++)
        if (!is_same_address(&former->addresses[n], &table->addresses[n]))
            moved |= 1U << n;
    return moved;
}

uint32_t egress_table_changed(const struct egress_table *former, const struct egress_table *table)
{
    uint32_t changed = egress_table_moved(former, table);

    for (int n = 0; n < EGRESS_MOST; n++)
        if (!slice_equal(former->addresses[n].hostname, table->addresses[n].hostname))
            changed |= 1U << n;
    return changed;
}
