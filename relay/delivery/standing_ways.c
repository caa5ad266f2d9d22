#include "relay/delivery/standing_ways.h"

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/schedule/provider.h"
#include "relay/schedule/select.h"

enum { STEPS_A_TURN = 2000 };

/* Of a campaign, a user, or one user's campaign. */
struct way {
    uint32_t user_id, campaign, pool;
};

struct slice standing_way_pool(const struct order *order)
{
    static const struct slice tag = {"pool:", 5};

    if (order->action != ORDER_REROUTE || !slice_starts_with(order->via, tag))
        return (struct slice){NULL, 0};
    return slice_skip(order->via, tag.len);
}

/* -1: it leads to none that we have. */
static int pool_of_order(const struct delivery_shard *shard, const struct order *order)
{
    struct slice name = standing_way_pool(order);

    return name.len ? egress_table_pool_named(&shard->config->egress, name) : -1;
}

/* ---- what stands ---- */

static void note_sender(struct delivery_shard *shard, const struct order *order, uint32_t pool)
{
    struct slice user, name = order->name;
    struct way way = {.user_id = order->user_id, .pool = pool};

    if (order->scope == ORDER_OF_CAMPAIGN) {
        if (order_campaign_split(order->name, &user, &name) && !order->user_id &&
            !slice_equal(user, SLICE_LITERAL("*")))
            return; /* its user is gone */
        way.campaign = stored_hash(name);
    }
    if (way.user_id || way.campaign)
        buffer_append(&shard->ways, slice_from(&way, sizeof(way)));
}

static void note_address(const struct delivery_shard *shard, int8_t to[EGRESS_MOST],
                         const struct order *order, int pool)
{
    struct ip_address address;
    int egress =
        ip_parse(order->name, &address) ? egress_table_find(&shard->config->egress, address) : -1;

    if (egress >= 0)
        to[egress] = (int8_t)pool;
}

static void note(struct delivery_shard *shard, int8_t to[EGRESS_MOST], const struct order *order)
{
    int pool = order_is_in_force(order, clock_utc_ms()) ? pool_of_order(shard, order) : -1;
    uint64_t words[3];

    if (pool < 0)
        return;
    words[0] = shard->ways_digest;
    words[1] = table_hash(order->name);
    words[2] = (uint64_t)order->scope << 32 | (uint64_t)pool;
    shard->ways_digest = table_hash(slice_from(words, sizeof(words))) | 1;
    if (order->scope == ORDER_OF_ADDRESS)
        note_address(shard, to, order, pool);
    else if (order->scope == ORDER_OF_USER || order->scope == ORDER_OF_CAMPAIGN)
        note_sender(shard, order, (uint32_t)pool);
}

static bool is_same_plan(const struct egress_plan *a, const struct egress_plan *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

void standing_ways_apply(struct delivery_shard *shard)
{
    const struct directory *directory = shard->directory;
    uint64_t former = shard->ways_digest;
    struct egress_plan plan;
    int8_t to[EGRESS_MOST];

    memset(to, -1, sizeof(to));
    egress_table_plan(&shard->config->egress, &plan);
    buffer_clear(&shard->ways);
    shard->ways_digest = 0;
    for (uint32_t i = 0; directory && i < directory->n_orders; i++)
        note(shard, to, &directory->orders[i]);
    egress_plan_lead(&plan, to);
    if (!is_same_plan(&plan, &shard->schedule->egress))
        schedule_set_egress(shard->schedule, &plan);
    if (shard->ways_digest == former)
        return;
    shard->repool_at = 0;
    shard->is_repooling = true;
    delivery_shard_touch(shard);
}

static void repool(void *owner, struct entry *entry)
{
    struct delivery_shard *shard = owner;

    schedule_repool(shard->schedule, entry, shard_now_ms(shard));
}

bool standing_ways_run(struct delivery_shard *shard)
{
    struct selection ready = {.is_all = true, .states = 1U << ENTRY_READY};

    if (shard->is_repooling)
        shard->is_repooling = schedule_select(shard->schedule, &ready, &shard->repool_at,
                                              STEPS_A_TURN, repool, shard);
    return shard->is_repooling;
}

/* ---- for the schedule ---- */

static int pool_of_sender(const struct delivery_shard *shard, const struct entry *entry)
{
    const struct way *ways = (const struct way *)(const void *)shard->ways.data;
    uint32_t campaign = entry_campaign(shard->schedule, entry);
    int pool = -1;

    for (size_t i = 0; i < shard->ways.len / sizeof(*ways); i++) {
        const struct way *way = &ways[i];

        if ((way->user_id && way->user_id != entry->message->user_id) ||
            (way->campaign && way->campaign != campaign))
            continue;
        if (way->campaign || pool < 0)
            pool = (int)way->pool;
    }
    return pool;
}

static int pool_by_name(const struct delivery_shard *shard, enum order_scope scope,
                        const char *name)
{
    const struct order *order = shard_order(shard, scope, ORDER_REROUTE, slice_of(name));

    return order ? pool_of_order(shard, order) : -1;
}

uint32_t standing_ways_pool(void *owner, const struct entry *entry)
{
    const struct delivery_shard *shard = owner;
    const struct domain *domain = entry_domain(shard->schedule, entry);
    int pool = shard->ways_digest ? pool_of_sender(shard, entry) : -1;

    if (!shard->ways_digest)
        return entry->pool;
    if (pool < 0)
        pool = pool_by_name(shard, ORDER_OF_DESTINATION, domain->name);
    if (pool < 0 && domain->site)
        pool = pool_by_name(shard, ORDER_OF_DESTINATION, domain->site->name);
    if (pool < 0 && domain->site && domain->site->provider)
        pool = pool_by_name(shard, ORDER_OF_PROVIDER, domain->site->provider->name);
    return pool < 0 ? entry->pool : (uint32_t)pool;
}
