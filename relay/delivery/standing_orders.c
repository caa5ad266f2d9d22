#include "relay/delivery/standing_orders.h"

#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/kept_words.h"
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

static int64_t end_of(const struct delivery_shard *shard, const struct order *order)
{
    return order->until_utc_ms ? order->until_utc_ms - clock_utc_ms() + shard_now_ms(shard)
                               : INT64_MAX;
}

static struct site_limits limits_of(const struct order *order)
{
    return (struct site_limits){
        .connections = order->limits.connections,
        .messages_per_second = order->limits.messages_per_second,
        .messages_per_minute = order->limits.messages_per_minute,
        .messages_per_hour = order->limits.messages_per_hour,
        .messages_per_day = order->limits.messages_per_day,
    };
}

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
    bound_suspend(bound, BOUND_BY_ORDER, reason, end_of(shard, order), now_ms);
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
    bound_limit(bound, BOUND_BY_ORDER, limits, reason, end_of(shard, order), now_ms);
    free(reason);
}

static void limit_by(struct delivery_shard *shard, struct bound *bound, const struct order *order)
{
    struct site_limits limits = order ? limits_of(order) : (struct site_limits){0};

    limit(shard, bound, &limits, order);
}

/* ---- destinations ---- */

static bool is_about(struct delivery_shard *shard, const struct order *order,
                     const struct site *site)
{
    const struct domain *domain = schedule_domain(shard->schedule, order->name);

    return (domain && domain->site == site) ||
           slice_equal_ignoring_case(order->name, slice_of(site->name));
}

/* A receiver counts by its hosts: a domain's throttle holds for the site that takes its mail, and
 * of several the strictest. */
static uint64_t cause_of(struct slice name)
{
    return table_hash_ignoring_case(name) | 1;
}

static void throttle_site(struct delivery_shard *shard, struct site *site)
{
    const struct directory *directory = shard->directory;
    struct site_limits strictest = {0};
    const struct order *first = NULL;

    for (uint32_t i = 0; i < directory->n_orders; i++) {
        const struct order *order = &directory->orders[i];
        struct site_limits limits = limits_of(order);

        if (order->scope != ORDER_OF_DESTINATION || order->action != ORDER_THROTTLE ||
            !order_is_in_force(order, clock_utc_ms()) || !is_about(shard, order, site))
            continue;
        first = first ? first : order;
        for (int field = 0; field < N_SITE_LIMITS; field++)
            limits_fields(&strictest)[field] =
                limits_stricter(limits_fields(&strictest)[field], limits_fields(&limits)[field]);
    }
    limit(shard, &site->bound, &strictest, first);
    if (site->owner)
        target_of(site)->throttled_for = first ? cause_of(first->name) : 0;
}

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
    throttle_site(shard, site);
}

/* A domain's suspension and its other way are obeyed where it is routed. */
static void obey_at_destination(struct delivery_shard *shard, struct slice name)
{
    struct site *site = schedule_site(shard->schedule, name);
    struct domain *domain = schedule_domain(shard->schedule, name);

    if (site)
        obey_at_site(shard, site);
    if (!domain)
        return;
    if (domain->site)
        throttle_site(shard, domain->site);
    schedule_reconsider(shard->schedule, domain);
}

/* Whom an order slows down that is still in force.  A domain without mail is not known to lead
 * elsewhere: its site keeps the throttle, and what was sent counts. */
static bool is_throttled_for_one(const struct delivery_shard *shard, uint64_t cause)
{
    const struct directory *directory = shard->directory;

    for (uint32_t i = 0; i < directory->n_orders; i++) {
        const struct order *order = &directory->orders[i];

        if (order->scope == ORDER_OF_DESTINATION && order->action == ORDER_THROTTLE &&
            cause_of(order->name) == cause && order_is_in_force(order, clock_utc_ms()))
            return true;
    }
    return false;
}

static void review_throttle(void *owner, struct site *site)
{
    struct delivery_shard *shard = owner;

    if (site->owner && target_of(site)->throttled_for &&
        !is_throttled_for_one(shard, target_of(site)->throttled_for))
        throttle_site(shard, site);
}

struct leaving {
    struct delivery_shard *shard;
    const struct site *to;
    uint64_t cause;
};

static void free_left_site(void *owner, struct site *site)
{
    const struct leaving *leaving = owner;

    if (site != leaving->to && site->owner && target_of(site)->throttled_for == leaving->cause)
        throttle_site(leaving->shard, site);
}

void standing_orders_route(struct delivery_shard *shard, struct domain *domain, struct site *site,
                           int64_t fresh_until_ms)
{
    struct leaving leaving = {shard, site, cause_of(slice_of(domain->name))};
    bool is_known = domain->site == site && site && target_of(site)->throttled_for == leaving.cause;

    schedule_route(shard->schedule, domain, site, fresh_until_ms);
    if (!shard_order(shard, ORDER_OF_DESTINATION, ORDER_THROTTLE, slice_of(domain->name)))
        return;
    if (!is_known)
        schedule_each_site(shard->schedule, free_left_site, &leaving);
    if (site)
        throttle_site(shard, site);
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

void standing_orders_meet_site(struct delivery_shard *shard, struct site *site)
{
    if (!shard->directory || !shard->directory->n_orders)
        return;
    obey_at_site(shard, site);
    if (site->provider)
        obey_at_provider(shard, site->provider);
}

/* ---- users and campaigns ---- */

/* Of n a window each loop may send its part; at least one, or nothing would ever leave. */
static uint32_t part_of(const struct delivery_shard *shard, uint32_t n)
{
    uint32_t part = n / shard->delivery->n_shards;

    return n && !part ? 1 : part;
}

static struct site_limits part_of_limits(const struct delivery_shard *shard,
                                         const struct order *order)
{
    struct site_limits limits = limits_of(order);

    limits.connections = 0;
    for (int field = 0; field < N_SITE_LIMITS; field++)
        limits_fields(&limits)[field] = part_of(shard, limits_fields(&limits)[field]);
    return limits;
}

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

static void obey_for_sender(struct delivery_shard *shard, const struct order *of)
{
    const struct order *stop = shard_order(shard, of->scope, ORDER_SUSPEND, of->name);
    const struct order *slow = shard_order(shard, of->scope, ORDER_THROTTLE, of->name);
    char *stop_reason = stop ? slice_to_string(stop->reason) : NULL;
    char *slow_reason = slow ? slice_to_string(slow->reason) : NULL;
    struct halt_order order = {
        .user_id = of->user_id,
        .campaign = campaign_of(of),
        .stop_reason = stop_reason,
        .stop_until_ms = stop ? end_of(shard, stop) : 0,
        .slow_reason = slow_reason,
        .slow_until_ms = slow ? end_of(shard, slow) : 0,
    };

    if (slow)
        order.limits = part_of_limits(shard, slow);
    if (has_somebody(of))
        schedule_halt(shard->schedule, &order, shard_now_ms(shard));
    free(stop_reason);
    free(slow_reason);
}

/* ---- addresses of ours ---- */

static void obey_at_lane(struct delivery_shard *shard, struct lane *lane, struct ip_address address)
{
    char name[IP_TEXT_SIZE];
    struct slice text;

    if (!address.family)
        return;
    text = slice_of(ip_print(address, name));
    suspend(shard, &lane->bound, shard_order(shard, ORDER_OF_ADDRESS, ORDER_SUSPEND, text));
    limit_by(shard, &lane->bound, shard_order(shard, ORDER_OF_ADDRESS, ORDER_THROTTLE, text));
}

/* An address is known by its IPv4 form; one that has none, by its IPv6 form. */
static struct ip_address address_of(const struct delivery_shard *shard, const struct lane *lane)
{
    const struct egress_address *address = &shard->config->egress.addresses[lane->egress];

    return address->v4.family ? address->v4 : address->v6;
}

static void obey_at_lanes(void *owner, struct site *site)
{
    struct delivery_shard *shard = owner;

    LIST_FOR_EACH(link, &site->lanes)
    {
        struct lane *lane = CONTAINER_OF(link, struct lane, link);

        obey_at_lane(shard, lane, address_of(shard, lane));
    }
}

bool standing_orders_may_use(void *owner, struct lane *lane)
{
    struct delivery_shard *shard = owner;
    char name[IP_TEXT_SIZE];
    struct slice text;

    if (!shard->has_address_orders || !address_of(shard, lane).family)
        return true;
    text = slice_of(ip_print(address_of(shard, lane), name));
    if (!lane->bound.words && (shard_order(shard, ORDER_OF_ADDRESS, ORDER_SUSPEND, text) ||
                               shard_order(shard, ORDER_OF_ADDRESS, ORDER_THROTTLE, text)))
        obey_at_lane(shard, lane, address_of(shard, lane));
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

static void note_orders(struct delivery_shard *shard)
{
    const struct directory *directory = shard->directory;
    int64_t now_utc_ms = clock_utc_ms();

    shard->next_end_utc_ms = INT64_MAX;
    shard->has_address_orders = false;
    for (uint32_t i = 0; i < directory->n_orders; i++) {
        int64_t end_ms = directory->orders[i].until_utc_ms;

        if (end_ms > now_utc_ms && end_ms < shard->next_end_utc_ms)
            shard->next_end_utc_ms = end_ms;
        shard->has_address_orders |= directory->orders[i].scope == ORDER_OF_ADDRESS;
    }
}

void standing_orders_apply(struct delivery_shard *shard, const struct directory *former)
{
    bool had_address_orders = shard->has_address_orders;

    note_orders(shard);
    for (uint32_t i = 0; former && i < former->n_orders; i++)
        obey(shard, &former->orders[i]);
    for (uint32_t i = 0; i < shard->directory->n_orders; i++)
        obey(shard, &shard->directory->orders[i]);
    if (shard->directory->n_orders || (former && former->n_orders))
        schedule_each_site(shard->schedule, review_throttle, shard);
    if (had_address_orders || shard->has_address_orders)
        schedule_each_site(shard->schedule, obey_at_lanes, shard);
}

void standing_orders_tick(struct delivery_shard *shard)
{
    if (shard->directory && shard->next_end_utc_ms <= clock_utc_ms())
        standing_orders_apply(shard, NULL);
}
