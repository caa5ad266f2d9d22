#include "relay/delivery/router.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/providers.h"
#include "relay/delivery/router_memory.h"
#include "relay/delivery/shipment.h"
#include "relay/delivery/standing_orders.h"
#include "relay/delivery/standing_ways.h"
#include "relay/smtp/address.h"

enum {
    FRESH_AT_LEAST_MS = 60 * 1000, /* whatever the TTL says */
    FRESH_AT_MOST_MS = 60 * 60 * 1000,
    FRESH_ROUTE_MS = 24 * 60 * 60 * 1000, /* settings change by router_forget() */
    KEPT_ON_TROUBLE_MS = 60 * 1000,       /* DNS is silent: the former site still serves */
    GIVEN_UP_AT_ONCE = 1000,
};

struct lookup {
    struct mx_query query;
    struct list links; /* in shard->lookups */
    struct delivery_shard *shard;
};

static void free_route(struct memo_item *item)
{
    struct cached_route *route = CONTAINER_OF(item, struct cached_route, item);

    arena_reset(&route->arena);
    free(route);
}

void router_init(struct delivery_shard *shard)
{
    memo_init(&shard->routes, ROUTER_MOST_CACHED, free_route);
    list_init(&shard->wanted_domains);
    list_init(&shard->parked_domains);
    list_init(&shard->lookups);
}

void router_want(struct delivery_shard *shard, struct domain *domain)
{
    list_remove(&domain->owner_link);
    list_append(&shard->wanted_domains, &domain->owner_link);
    delivery_shard_touch(shard);
}

void router_forget(struct delivery_shard *shard)
{
    memo_clear(&shard->routes);
    schedule_reconsider_all(shard->schedule);
}

/* ---- a way is known ---- */

static void lead(struct delivery_shard *shard, struct domain *domain,
                 const struct target_plan *plan, int64_t fresh_until_ms)
{
    struct delivery_shard *owner =
        plan->policy.kind == TARGET_SUSPENDED
            ? shard
            : delivery_owner_of(shard->delivery, providers_owner_name(plan));
    int64_t now_ms = shard_now_ms(shard);

    if (owner != shard && shard->is_settled) {
        list_remove(&domain->owner_link);
        list_append(&shard->parked_domains, &domain->owner_link);
        return;
    }
    if (owner != shard) {
        standing_orders_route(shard, domain, NULL, now_ms);
        shipment_send(shard, owner, domain, plan, fresh_until_ms - now_ms);
        return;
    }
    standing_orders_route(shard, domain, target_ensure(shard, plan, &domain->way), fresh_until_ms);
}

static void lead_to_rule(struct delivery_shard *shard, struct domain *domain,
                         const struct route_rule *rule, int64_t fresh_ms)
{
    CLEANUP(free) char *name = slice_to_string(rule->host);
    struct target_host host = {0, name};
    struct target_plan plan = {
        .site_name = rule->site_name,
        .policy = rule->policy,
        .config = shard->config,
        .hosts = &host,
        .n_hosts = 1,
    };

    if (name)
        lead(shard, domain, &plan, shard_now_ms(shard) + fresh_ms);
}

static void lead_to_suspension(struct delivery_shard *shard, struct domain *domain)
{
    struct target_plan plan = {
        .site_name = slice_of(domain->name),
        .policy = {.kind = TARGET_SUSPENDED, .limits = site_limits_default},
        .config = shard->config,
    };

    lead(shard, domain, &plan, shard_now_ms(shard) + FRESH_AT_MOST_MS);
}

/* ---- there is no way ---- */

static void give_up(struct delivery_shard *shard, struct domain *domain,
                    const struct judgement *judgement)
{
    struct list entries;

    list_init(&entries);
    schedule_route(shard->schedule, domain, NULL, 0);
    for (uint32_t n = 0; n < GIVEN_UP_AT_ONCE && domain->n_unrouted > 0; n++)
        list_append(&entries, &schedule_take_unrouted(shard->schedule, domain)->link);
    /* The rest when these are stored: what waits for its commit is bounded. */
    if (domain->n_unrouted > 0)
        schedule_reconsider(shard->schedule, domain);
    outcome_for_all(shard, &entries, judgement);
}

static void fail(struct delivery_shard *shard, struct domain *domain, uint16_t code,
                 struct enhanced_status status, const char *text)
{
    struct judgement judgement = {
        .verdict = VERDICT_FAILED, .code = code, .status = status, .text = slice_of(text)};

    give_up(shard, domain, &judgement);
}

static void put_off(struct delivery_shard *shard, struct domain *domain, const char *why)
{
    struct judgement judgement = {
        .verdict = VERDICT_LATER, .status = SMTP_STATUS(4, 4, 3), .text = slice_of(why)};

    if (domain->site)
        schedule_route(shard->schedule, domain, domain->site,
                       shard_now_ms(shard) + KEPT_ON_TROUBLE_MS);
    else
        give_up(shard, domain, &judgement);
}

/* The order that names a next hop, or NULL. */
static const struct order *hop_order(const struct delivery_shard *shard, enum order_scope scope,
                                     struct slice name)
{
    const struct order *order = shard_order(shard, scope, ORDER_REROUTE, name);

    return order && order->via.len && !standing_way_pool(order).len ? order : NULL;
}

/* An operator's way instead of every other one. */
static void lead_elsewhere(struct delivery_shard *shard, struct domain *domain,
                           const struct order *order)
{
    int64_t fresh_ms = order->until_utc_ms ? order->until_utc_ms - clock_utc_ms() : FRESH_ROUTE_MS;
    struct arena arena;
    struct route_rule rule;

    arena_init(&arena, 0);
    if (delivery_config_next_hop(shard->config, order->via, &rule, &arena) == 0)
        lead_to_rule(shard, domain, &rule, fresh_ms);
    else
        put_off(shard, domain, "the operator's order leads to no next hop");
    arena_reset(&arena);
}

static void follow(struct delivery_shard *shard, struct domain *domain,
                   const struct cached_route *route)
{
    struct target_plan plan = {
        .site_name = route->site_name,
        .policy = shard->config->mx_policy,
        .config = shard->config,
        .hosts = route->hosts,
        .n_hosts = route->n_hosts,
    };
    const struct order *order;

    switch (route->status) {
    case MX_OK:
        plan.provider =
            providers_find(shard->config, slice_of(domain->name), route->hosts, route->n_hosts);
        if (plan.provider && (order = hop_order(shard, ORDER_OF_PROVIDER, plan.provider->name))) {
            lead_elsewhere(shard, domain, order);
            return;
        }
        providers_shape(plan.provider, &plan.policy);
        lead(shard, domain, &plan, route->fresh_until_ms);
        break;
    case MX_NULL:
        fail(shard, domain, 556, SMTP_STATUS(5, 1, 10), "the domain takes no mail (null MX)");
        break;
    case MX_NO_DOMAIN:
        fail(shard, domain, 0, SMTP_STATUS(5, 1, 2), "the domain does not exist");
        break;
    case MX_UNUSABLE:
        fail(shard, domain, 0, SMTP_STATUS(5, 4, 4), "the domain names no usable mail host");
        break;
    case MX_TEMPORARY:
        put_off(shard, domain, route->why);
        break;
    }
}

/* ---- DNS ---- */

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

void router_site_name(const struct mx_query *query, struct buffer *out)
{
    const char *names[MX_MAX_HOSTS];

    for (size_t i = 0; i < query->n_hosts; i++)
        names[i] = query->hosts[i].name;
    qsort((void *)names, query->n_hosts, sizeof(names[0]), compare_names);
    for (size_t i = 0; i < query->n_hosts; i++) {
        if (i > 0 && strcasecmp(names[i], names[i - 1]) == 0)
            continue;
        if (out->len)
            buffer_append_byte(out, ',');
        for (const char *c = names[i]; *c; c++)
            buffer_append_byte(out, ascii_lower(*c));
    }
}

static bool copy_hosts(struct cached_route *route, const struct mx_query *query)
{
    CLEANUP(buffer) struct buffer site_name = BUFFER_INIT;

    route->hosts = arena_alloc(&route->arena, (query->n_hosts + 1) * sizeof(*route->hosts));
    for (size_t i = 0; route->hosts && i < query->n_hosts; i++) {
        struct slice name = arena_copy(&route->arena, slice_of(query->hosts[i].name));

        if (!name.data)
            return false;
        route->hosts[i] = (struct target_host){query->hosts[i].preference, (char *)name.data};
    }
    route->n_hosts = query->n_hosts;
    router_site_name(query, &site_name);
    route->site_name = arena_copy(&route->arena, buffer_slice(&site_name));
    return route->hosts && route->site_name.data && buffer_error(&site_name) == 0;
}

static int64_t bounded(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static struct cached_route *make_route(const struct mx_query *query, int64_t now_ms)
{
    struct cached_route *route = calloc(1, sizeof(*route));

    if (!route)
        return NULL;
    arena_init(&route->arena, 0);
    route->status = query->status;
    route->fresh_until_ms =
        now_ms + bounded((int64_t)query->ttl * 1000, FRESH_AT_LEAST_MS, FRESH_AT_MOST_MS);
    snprintf(route->why, sizeof(route->why), "%s", query->why);
    route->item.key = arena_copy(&route->arena, slice_of(query->domain));
    if (route->item.key.data && (query->status != MX_OK || copy_hosts(route, query)))
        return route;
    free_route(&route->item);
    return NULL;
}

static void on_answer(struct mx_query *query)
{
    struct lookup *lookup = CONTAINER_OF(query, struct lookup, query);
    struct delivery_shard *shard = lookup->shard;
    struct domain *domain = schedule_domain(shard->schedule, slice_of(query->domain));
    struct cached_route *route = make_route(query, shard_now_ms(shard));

    shard->n_lookups--;
    list_remove(&lookup->links);
    if (domain && route)
        follow(shard, domain, route);
    else if (domain)
        put_off(shard, domain, "no memory for a DNS answer");
    if (route && route->status != MX_TEMPORARY)
        memo_add(&shard->routes, &route->item);
    else if (route)
        free_route(&route->item);
    free(lookup);
    delivery_shard_touch(shard);
}

static void look_up(struct delivery_shard *shard, struct domain *domain)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));

    if (!lookup) {
        put_off(shard, domain, "no memory to ask DNS");
        return;
    }
    lookup->shard = shard;
    lookup->query.done = on_answer;
    snprintf(lookup->query.domain, sizeof(lookup->query.domain), "%s", domain->name);
    list_append(&shard->lookups, &lookup->links);
    shard->n_lookups++;
    mx_lookup(shard->resolver, &lookup->query);
}

void router_cancel(struct delivery_shard *shard)
{
    struct list *links;

    while ((links = list_take_first(&shard->lookups)) != NULL) {
        struct lookup *lookup = CONTAINER_OF(links, struct lookup, links);

        mx_cancel(&lookup->query);
        free(lookup);
    }
}

/* ---- */

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
bool router_read_literal(struct slice domain, struct slice *address)
{
    static const struct slice tag = {"IPv6:", 5};
    struct ip_address ip;

    if (domain.len < 3 || domain.data[0] != '[')
        return false;
    *address = slice_from(domain.data + 1, domain.len - 2);
    if (slice_starts_with_ignoring_case(*address, tag))
        *address = slice_skip(*address, tag.len);
    return ip_parse(*address, &ip);
}

static void lead_to_literal(struct delivery_shard *shard, struct domain *domain,
                            struct slice address)
{
    CLEANUP(free) char *name = slice_to_string(address);
    struct target_host host = {0, name};
    struct target_plan plan = {
        .site_name = slice_of(domain->name),
        .policy = shard->config->mx_policy,
        .config = shard->config,
        .hosts = &host,
        .n_hosts = 1,
    };

    plan.policy.kind = TARGET_LITERAL;
    if (name)
        lead(shard, domain, &plan, shard_now_ms(shard) + FRESH_ROUTE_MS);
}

static void route_domain(struct delivery_shard *shard, struct domain *domain)
{
    struct slice name = slice_of(domain->name), address;
    const struct route_rule *rule = delivery_config_route(shard->config, name);
    const struct order *order = hop_order(shard, ORDER_OF_DESTINATION, name);
    struct memo_item *item;

    if (shard_order(shard, ORDER_OF_DESTINATION, ORDER_SUSPEND, name))
        lead_to_suspension(shard, domain);
    else if (order)
        lead_elsewhere(shard, domain, order);
    else if (rule)
        lead_to_rule(shard, domain, rule, FRESH_ROUTE_MS);
    else if (router_read_literal(name, &address))
        lead_to_literal(shard, domain, address);
    else if (name.len >= DNS_NAME_SIZE - 1 || !address_is_domain(name))
        fail(shard, domain, 0, SMTP_STATUS(5, 1, 2), "the domain is malformed");
    else if ((item = memo_find(&shard->routes, name)) != NULL &&
             CONTAINER_OF(item, struct cached_route, item)->fresh_until_ms > shard_now_ms(shard))
        follow(shard, domain, CONTAINER_OF(item, struct cached_route, item));
    else
        look_up(shard, domain);
}

void router_run(struct delivery_shard *shard)
{
    while (shard->n_lookups < ROUTER_MOST_LOOKUPS && shard->n_outcomes < SHARD_MOST_OUTCOMES) {
        struct list *link = list_take_first(&shard->wanted_domains);

        if (!link)
            return;
        route_domain(shard, CONTAINER_OF(link, struct domain, owner_link));
    }
}
