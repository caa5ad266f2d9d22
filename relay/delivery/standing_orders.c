#include "relay/delivery/standing_orders.h"

#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/kept_words.h"
#include "relay/delivery/sender_turns.h"
#include "relay/delivery/standing_throttles.h"
#include "relay/delivery/standing_ways.h"
#include "relay/delivery/target.h"
#include "relay/schedule/halts.h"
#include "relay/schedule/provider.h"

const struct order *shard_order(const struct delivery_shard *shard, enum order_scope scope,
                                enum order_action action, struct slice name)
{
    if (!shard->directory || !shard->directory->n_orders)
        return NULL;
    return directory_order(shard->directory, scope, action, name, clock_utc_ms());
}

/* ---- what an order says, in the schedule's words ---- */

/* Without an order what stood before ends. */
static void suspend(struct delivery_shard *shard, struct bound *bound, const struct order *order)
{
    int64_t now_ms = shard_now_ms(shard);
    char *reason;

    if (!order) {
        if (bound_is_suspended(bound, BOUND_BY_ORDER, now_ms))
            bound_resume(bound, BOUND_BY_ORDER, now_ms);
        return;
    }
    reason = slice_to_string(order->reason);
    bound_suspend(bound, BOUND_BY_ORDER, reason, standing_end_of(shard, order), now_ms);
    free(reason);
}

static void limit(struct delivery_shard *shard, struct bound *bound,
                  const struct site_limits *limits, const struct order *order)
{
    int64_t now_ms = shard_now_ms(shard);
    char *reason;

    if (!order) {
        if (bound->words && bound->words->limited[BOUND_BY_ORDER].until_ms > now_ms)
            bound_unlimit(bound, BOUND_BY_ORDER, now_ms);
        return;
    }
    reason = slice_to_string(order->reason);
    bound_limit(bound, BOUND_BY_ORDER, limits, reason, standing_end_of(shard, order), now_ms);
    bound_limited_since(bound, standing_begin_of(shard, order));
    free(reason);
}

static void limit_by(struct delivery_shard *shard, struct bound *bound, const struct order *order)
{
    struct site_limits limits = order ? standing_limits_of(order) : (struct site_limits){0};

    limit(shard, bound, &limits, order);
}

/* ---- destinations ---- */

static void obey_at_site(struct delivery_shard *shard, struct site *site)
{
    struct slice name = slice_of(site->name);
    const struct order *order = shard_order(shard, ORDER_OF_DESTINATION, ORDER_SUSPEND, name);

    if (!order && bound_is_suspended(&site->bound, BOUND_BY_ORDER, shard_now_ms(shard))) {
        site_resume(site, shard_now_ms(shard));
        kept_words_forget(shard, name);
    } else {
        suspend(shard, &site->bound, order);
    }
}

/* A domain's suspension and its other way are obeyed where it is routed. */
static void obey_at_destination(struct delivery_shard *shard, struct slice name)
{
    struct site *site = schedule_site(shard->schedule, name);
    struct domain *domain = schedule_domain(shard->schedule, name);

    if (site)
        obey_at_site(shard, site);
    if (domain)
        schedule_reconsider(shard->schedule, domain);
}

void standing_orders_route(struct delivery_shard *shard, struct domain *domain, struct site *site,
                           int64_t fresh_until_ms)
{
    schedule_route(shard->schedule, domain, site, fresh_until_ms);
    standing_throttles_route(shard, slice_of(domain->name), site);
}

/* ---- providers ---- */

/* As an order's end at a site takes back what rules did there. */
static void resume_roads(struct delivery_shard *shard, struct provider *provider)
{
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++)
        if (provider->roads[egress])
            bound_resume(&provider->roads[egress]->bound, BOUND_BY_RULE, shard_now_ms(shard));
    kept_words_forget(shard, slice_of(provider->name));
}

static void obey_at_provider(struct delivery_shard *shard, struct provider *provider)
{
    struct slice name = slice_of(provider->name);
    const struct order *order = shard_order(shard, ORDER_OF_PROVIDER, ORDER_SUSPEND, name);

    if (!order && bound_is_suspended(&provider->bound, BOUND_BY_ORDER, shard_now_ms(shard)))
        resume_roads(shard, provider);
    suspend(shard, &provider->bound, order);
    limit_by(shard, &provider->bound, shard_order(shard, ORDER_OF_PROVIDER, ORDER_THROTTLE, name));
}

/* Of a provider that is known changes of orders tell; of a new one its first site. */
static bool is_told(const struct provider *provider)
{
    return provider->sites.next != provider->sites.previous;
}

/* ---- users and campaigns ---- */

/* 0: of no campaign. */
static uint32_t campaign_of(const struct order *order)
{
    struct slice user, name;

    if (order->scope != ORDER_OF_CAMPAIGN)
        return 0;
    (void)order_campaign_split(order->name, &user, &name);
    return stored_hash(name);
}

/* A campaign of a user who is gone is nobody's, not everybody's. */
static bool has_somebody(const struct order *order)
{
    struct slice user, name;

    if (order->user_id || order->scope != ORDER_OF_CAMPAIGN)
        return order->user_id != 0;
    (void)order_campaign_split(order->name, &user, &name);
    return slice_equal(user, SLICE_LITERAL("*"));
}

/* What stands of that name may be about another user by now, whose turns are not this one's. */
static const struct order *standing_of(const struct delivery_shard *shard, const struct order *of,
                                       enum order_action action)
{
    const struct order *order = shard_order(shard, of->scope, action, of->name);

    return order && order->user_id == of->user_id ? order : NULL;
}

static void obey_for_sender(struct delivery_shard *shard, const struct order *of)
{
    const struct order *stop = standing_of(shard, of, ORDER_SUSPEND);
    const struct order *slow = standing_of(shard, of, ORDER_THROTTLE);
    char *stop_reason = stop ? slice_to_string(stop->reason) : NULL;
    char *slow_reason = slow ? slice_to_string(slow->reason) : NULL;
    struct halt_order order = {
        .user_id = of->user_id,
        .campaign = campaign_of(of),
        .stop_reason = stop_reason,
        .stop_until_ms = stop ? standing_end_of(shard, stop) : 0,
        .slow_reason = slow_reason,
        .slow_until_ms = slow ? standing_end_of(shard, slow) : 0,
    };

    if (slow) {
        order.limits = standing_limits_of(slow);
        order.limits.connections = 0;
        order.turns = sender_turns_of(shard, slow);
    }
    if (has_somebody(of))
        schedule_halt(shard->schedule, &order, shard_now_ms(shard));
    if (!slow)
        sender_turns_end(shard, of);
    free(stop_reason);
    free(slow_reason);
}

/* ---- addresses of ours ---- */

static const struct order *order_about(const struct delivery_shard *shard,
                                       struct ip_address address, enum order_action action)
{
    char name[IP_TEXT_SIZE];

    return address.family
               ? shard_order(shard, ORDER_OF_ADDRESS, action, slice_of(ip_print(address, name)))
               : NULL;
}

/* What leaves from an address and its IPv6 sister is one: either names both. */
static const struct order *order_of_egress(const struct delivery_shard *shard, uint32_t egress,
                                           enum order_action action)
{
    const struct egress_address *address = &shard->config->egress.addresses[egress];
    const struct order *order = order_about(shard, address->v4, action);

    return order ? order : order_about(shard, address->v6, action);
}

static void obey_at_lane(struct delivery_shard *shard, struct lane *lane)
{
    suspend(shard, &lane->bound, order_of_egress(shard, lane->egress, ORDER_SUSPEND));
    limit_by(shard, &lane->bound, order_of_egress(shard, lane->egress, ORDER_THROTTLE));
}

static void obey_at_lanes(void *owner, struct site *site)
{
    LIST_FOR_EACH(link, &site->lanes)
    obey_at_lane(owner, CONTAINER_OF(link, struct lane, link));
}

void standing_orders_meet_site(struct delivery_shard *shard, struct site *site)
{
    if (!shard->directory || !shard->directory->n_orders)
        return;
    obey_at_site(shard, site);
    standing_throttles_meet_site(shard, site);
    if (site->provider && !is_told(site->provider))
        obey_at_provider(shard, site->provider);
    if (shard->has_address_orders) /* at lanes that kept words made; others follow with their use */
        obey_at_lanes(shard, site);
}

bool standing_orders_may_use(void *owner, struct lane *lane)
{
    struct delivery_shard *shard = owner;

    if (!shard->has_address_orders)
        return true;
    if (!lane->bound.words)
        obey_at_lane(shard, lane);
    return !bound_is_suspended(&lane->bound, BOUND_BY_ORDER, shard_now_ms(shard));
}

/* ---- all of them ---- */

static void obey(struct delivery_shard *shard, const struct order *order)
{
    struct provider *provider;

    switch (order->scope) {
    case ORDER_OF_DESTINATION:
        obey_at_destination(shard, order->name);
        break;
    case ORDER_OF_PROVIDER:
        provider = schedule_provider(shard->schedule, order->name);
        if (provider)
            obey_at_provider(shard, provider);
        break;
    case ORDER_OF_USER:
    case ORDER_OF_CAMPAIGN:
        obey_for_sender(shard, order);
        break;
    case ORDER_OF_ADDRESS: /* obey_at_lanes() once for all */
    case N_ORDER_SCOPES:
        break;
    }
}

/* Next hops of providers: they are followed when a domain is routed. */
static uint64_t digest_with(uint64_t digest, const struct order *order)
{
    uint64_t words[3] = {digest, table_hash(order->name), table_hash(order->via)};

    if (order->scope != ORDER_OF_PROVIDER || order->action != ORDER_REROUTE ||
        standing_way_pool(order).len || !order_is_in_force(order, clock_utc_ms()))
        return digest;
    return table_hash(slice_from(words, sizeof(words)));
}

static void note_orders(struct delivery_shard *shard)
{
    const struct directory *directory = shard->directory;
    int64_t now_utc_ms = clock_utc_ms();

    shard->next_end_utc_ms = INT64_MAX;
    shard->has_address_orders = false;
    shard->hops_digest = 0;
    for (uint32_t i = 0; i < directory->n_orders; i++) {
        int64_t end_ms = directory->orders[i].until_utc_ms;

        if (end_ms > now_utc_ms && end_ms < shard->next_end_utc_ms)
            shard->next_end_utc_ms = end_ms;
        shard->has_address_orders |= directory->orders[i].scope == ORDER_OF_ADDRESS;
        shard->hops_digest = digest_with(shard->hops_digest, &directory->orders[i]);
    }
}

void standing_orders_apply(struct delivery_shard *shard, const struct directory *former)
{
    bool had_address_orders = shard->has_address_orders;
    uint64_t former_hops = shard->hops_digest;

    note_orders(shard);
    if (shard->hops_digest != former_hops)
        schedule_reconsider_all(shard->schedule);
    for (uint32_t i = 0; former && i < former->n_orders; i++)
        obey(shard, &former->orders[i]);
    for (uint32_t i = 0; i < shard->directory->n_orders; i++)
        obey(shard, &shard->directory->orders[i]);
    if (shard->directory->n_orders || (former && former->n_orders))
        standing_throttles_apply(shard);
    standing_ways_apply(shard);
    if (had_address_orders || shard->has_address_orders)
        schedule_each_site(shard->schedule, obey_at_lanes, shard);
}

void standing_orders_tick(struct delivery_shard *shard)
{
    if (shard->directory && shard->next_end_utc_ms <= clock_utc_ms())
        standing_orders_apply(shard, NULL);
}
