/* Where the mail of a domain goes: as router.c finds it, each step told. */
#include <stdio.h>

#include "relay/delivery/path_test.h"
#include "relay/delivery/providers.h"
#include "relay/delivery/router.h"
#include "relay/delivery/standing_ways.h"
#include "relay/smtp/address.h"

static void end_with(struct path_test *test, enum path_word word, const char *value)
{
    PATH_TELL(test, word, value);
    path_end(test);
}

/* All that is known of it: on the loop that owns the site it goes on. */
static void lead(struct path_test *test)
{
    struct delivery_shard *owner =
        delivery_owner_of(test->delivery, providers_owner_name(&test->plan));

    if (owner == test->shard)
        path_arrive(test);
    else
        path_move(test, owner);
}

static void lead_to_rule(struct path_test *test, const struct route_rule *rule)
{
    struct target_host *host = arena_alloc(&test->arena, sizeof(*host));
    char via[PATH_TEXT];

    if (host)
        host->name = (char *)arena_copy(&test->arena, rule->host).data;
    if (!host || !host->name) {
        end_with(test, PATH_NO_MEMORY, NULL);
        return;
    }
    test->plan = (struct target_plan){
        .site_name = arena_copy(&test->arena, rule->site_name),
        .policy = rule->policy,
        .config = test->config,
        .hosts = host,
        .n_hosts = 1,
    };
    snprintf(via, sizeof(via), "%s port %u", host->name, (unsigned)rule->policy.port);
    PATH_TELL(test, PATH_ROUTE_FIXED, via);
    lead(test);
}

static void lead_elsewhere(struct path_test *test, const struct order *order)
{
    CLEANUP(free) char *via = slice_to_string(order->via);
    struct route_rule rule;

    if (delivery_config_next_hop(test->config, order->via, &rule, &test->arena) < 0) {
        end_with(test, PATH_ROUTE_NO_HOP, via);
        return;
    }
    test->is_ordered = rule.domain.len == 0;
    lead_to_rule(test, &rule);
}

static const struct order *hop_order(const struct path_test *test, enum order_scope scope,
                                     struct slice name)
{
    const struct order *order = shard_order(test->shard, scope, ORDER_REROUTE, name);

    return order && order->via.len && !standing_way_pool(order).len ? order : NULL;
}

/* ---- DNS ---- */

static bool take_hosts(struct path_test *test, const struct mx_query *query)
{
    CLEANUP(buffer) struct buffer name = BUFFER_INIT;
    struct target_host *hosts = arena_alloc(&test->arena, (query->n_hosts + 1) * sizeof(*hosts));

    for (size_t i = 0; hosts && i < query->n_hosts; i++) {
        hosts[i].preference = query->hosts[i].preference;
        hosts[i].name = (char *)arena_copy(&test->arena, slice_of(query->hosts[i].name)).data;
        if (!hosts[i].name)
            return false;
    }
    router_site_name(query, &name);
    test->plan = (struct target_plan){
        .site_name = arena_copy(&test->arena, buffer_slice(&name)),
        .policy = test->config->mx_policy,
        .config = test->config,
        .hosts = hosts,
        .n_hosts = query->n_hosts,
    };
    return hosts && test->plan.site_name.data && buffer_error(&name) == 0;
}

static void tell_hosts(struct path_test *test, const struct mx_query *query)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    for (size_t i = 0; i < query->n_hosts; i++)
        buffer_printf(&text, "%s%u %s", i ? ", " : "", (unsigned)query->hosts[i].preference,
                      query->hosts[i].name);
    buffer_append_byte(&text, '\0');
    if (query->is_implicit)
        PATH_TELL(test, PATH_MX_IMPLICIT, query->hosts[0].name);
    else
        PATH_TELL(test, PATH_MX_FOUND, text.failed ? "" : text.data,
                  query->is_secure ? "yes" : "no");
}

static void follow(struct path_test *test, const struct mx_query *query)
{
    const struct order *order;

    if (!take_hosts(test, query)) {
        end_with(test, PATH_NO_MEMORY, NULL);
        return;
    }
    tell_hosts(test, query);
    test->plan.provider =
        providers_find(test->config, slice_of(test->domain), test->plan.hosts, test->plan.n_hosts);
    if (test->plan.provider &&
        (order = hop_order(test, ORDER_OF_PROVIDER, test->plan.provider->name))) {
        lead_elsewhere(test, order);
        return;
    }
    providers_shape(test->plan.provider, &test->plan.policy);
    lead(test);
}

static void on_hosts(struct mx_query *query)
{
    struct path_test *test = CONTAINER_OF(query, struct path_test, mx);

    test->asks_mx = false;
    switch (query->status) {
    case MX_OK:
        follow(test, query);
        break;
    case MX_NULL:
        end_with(test, PATH_MX_NULL, test->domain);
        break;
    case MX_NO_DOMAIN:
        end_with(test, PATH_MX_NO_DOMAIN, test->domain);
        break;
    case MX_UNUSABLE:
        end_with(test, PATH_MX_UNUSABLE, test->domain);
        break;
    case MX_TEMPORARY:
        end_with(test, PATH_MX_NO_ANSWER, query->why);
        break;
    }
}

static void look_up(struct path_test *test)
{
    test->mx = (struct mx_query){.done = on_hosts};
    snprintf(test->mx.domain, sizeof(test->mx.domain), "%s", test->domain);
    test->asks_mx = true;
    mx_lookup(test->shard->resolver, &test->mx);
}

/* ---- */

static void lead_to_literal(struct path_test *test, struct slice address)
{
    struct target_host *host = arena_alloc(&test->arena, sizeof(*host));

    if (host)
        host->name = (char *)arena_copy(&test->arena, address).data;
    if (!host || !host->name) {
        end_with(test, PATH_NO_MEMORY, NULL);
        return;
    }
    test->plan = (struct target_plan){
        .site_name = slice_of(test->domain),
        .policy = test->config->mx_policy,
        .config = test->config,
        .hosts = host,
        .n_hosts = 1,
    };
    test->plan.policy.kind = TARGET_LITERAL;
    PATH_TELL(test, PATH_MX_LITERAL, host->name);
    lead(test);
}

/* An order stops mail, not the test: it shows whether the order is still needed. */
static void tell_suspension(struct path_test *test)
{
    const struct order *order =
        shard_order(test->shard, ORDER_OF_DESTINATION, ORDER_SUSPEND, slice_of(test->domain));
    CLEANUP(free) char *reason = order ? slice_to_string(order->reason) : NULL;

    if (order)
        PATH_TELL(test, PATH_ROUTE_SUSPENDED, reason);
}

void path_route(struct path_test *test)
{
    struct slice name = slice_of(test->domain), literal;
    const struct route_rule *rule = delivery_config_route(test->config, name);
    const struct order *order = hop_order(test, ORDER_OF_DESTINATION, name);

    tell_suspension(test);
    if (order)
        lead_elsewhere(test, order);
    else if (rule)
        lead_to_rule(test, rule);
    else if (router_read_literal(name, &literal))
        lead_to_literal(test, literal);
    else if (name.len >= DNS_NAME_SIZE - 1 || !address_is_domain(name))
        end_with(test, PATH_ROUTE_MALFORMED, test->domain);
    else
        look_up(test);
}
