#include "relay/delivery/config.h"

#include <errno.h>

#include "policy/receiver_book.h"

static void *copy_array(struct arena *arena, const void *items, size_t n, size_t item_bytes)
{
    void *copy = arena_alloc(arena, n ? n * item_bytes : 1);

    if (copy && n)
        memcpy(copy, items, n * item_bytes);
    return copy;
}

static struct slice copy_lower(struct arena *arena, const char *text)
{
    struct slice copy = arena_copy(arena, slice_of(text ? text : ""));

    for (size_t i = 0; copy.data && i < copy.len; i++)
        ((char *)copy.data)[i] = ascii_lower(copy.data[i]);
    return copy;
}

/* "192.0.2.1", "[2001:db8::1]:587", "smart.example.net:587": host and port. */
static int read_via(const char *via, uint16_t default_port, struct slice *host, uint16_t *port)
{
    struct socket_address address;
    struct slice text = slice_of(via);
    ptrdiff_t colon = slice_find_last(text, ':');
    uint64_t number = default_port;

    if (socket_address_parse(text, default_port, &address)) {
        *port = socket_address_port(&address);
        *host = colon >= 0 && (text.data[0] == '[' || slice_find(text, ':') == colon)
                    ? slice_head(text, (size_t)colon)
                    : text;
        if (text.data[0] == '[')
            *host = slice_from(text.data + 1, (size_t)slice_find(text, ']') - 1);
        return 0;
    }
    if (colon >= 0 && !slice_to_number(slice_skip(text, (size_t)colon + 1), 65535, &number))
        return FAULT(-EINVAL);
    *host = colon >= 0 ? slice_head(text, (size_t)colon) : text;
    *port = (uint16_t)number;
    return host->len && number ? 0 : FAULT(-EINVAL);
}

/* Several domains behind one next hop are one site, unless it is to be spoken to differently. */
static bool is_used_otherwise(const struct delivery_config *config, const struct route_rule *rule)
{
    for (size_t i = 0; i < config->n_routes; i++) {
        const struct route_rule *other = &config->routes[i];

        if (slice_equal(other->site_name, rule->site_name) &&
            (other->policy.tls != rule->policy.tls ||
             !slice_equal(other->policy.user, rule->policy.user) ||
             !slice_equal(other->policy.password, rule->policy.password)))
            return true;
    }
    return false;
}

/* "host:25", "[2001:db8::1]:25". */
static void print_next_hop(struct buffer *out, struct slice host, uint16_t port)
{
    bool is_v6 = slice_find(host, ':') >= 0;

    buffer_printf(out, is_v6 ? "[%.*s]:%u" : "%.*s:%u", (int)host.len, host.data, (unsigned)port);
}

static int name_site(struct delivery_config *config, struct route_rule *rule)
{
    struct buffer name = BUFFER_INIT;

    print_next_hop(&name, rule->host, rule->policy.port);
    rule->site_name = arena_copy(&config->arena, buffer_slice(&name));
    if (rule->site_name.data && is_used_otherwise(config, rule)) {
        buffer_printf(&name, "#%.*s", (int)rule->domain.len, rule->domain.data);
        rule->site_name = arena_copy(&config->arena, buffer_slice(&name));
    }
    buffer_fini(&name);
    return rule->site_name.data ? 0 : FAULT(-ENOMEM);
}

static int add_route(struct delivery_config *config, const struct delivery_route *route)
{
    struct route_rule *rule = &config->routes[config->n_routes];
    struct slice host = {NULL, 0};
    int error = read_via(route->via, config->settings.port, &host, &rule->policy.port);

    if (error < 0)
        return error;
    rule->domain = copy_lower(&config->arena, route->domain);
    rule->host = arena_copy(&config->arena, host);
    rule->policy.kind = TARGET_ROUTE;
    rule->policy.tls = route->tls;
    rule->policy.user = arena_copy(&config->arena, slice_of(route->user ? route->user : ""));
    rule->policy.password =
        arena_copy(&config->arena, slice_of(route->password ? route->password : ""));
    rule->policy.limits = site_limits_route;
    if (route->connections)
        rule->policy.limits.connections = route->connections;
    rule->policy.limits.start_connections = rule->policy.limits.connections;
    rule->policy.limits.messages_per_second = route->messages_per_second;
    if (config->settings.transaction_recipients)
        rule->policy.limits.recipients_per_transaction = config->settings.transaction_recipients;
    if (!rule->domain.data || !rule->host.data || !rule->policy.user.data ||
        !rule->policy.password.data)
        return FAULT(-ENOMEM);
    error = name_site(config, rule);
    if (error == 0)
        config->n_routes++;
    return error;
}

static void set_mx_policy(struct delivery_config *config)
{
    const struct delivery_settings *settings = &config->settings;
    struct site_limits *limits = &config->mx_policy.limits;

    config->mx_policy = (struct target_policy){
        .kind = TARGET_MX,
        .tls = settings->tls,
        .port = settings->port,
        .limits = site_limits_default,
    };
    if (settings->site_connections)
        limits->connections = settings->site_connections;
    if (limits->start_connections > limits->connections)
        limits->start_connections = limits->connections;
    if (settings->site_connections_per_minute)
        limits->connections_per_minute = settings->site_connections_per_minute;
    if (settings->connection_messages)
        limits->messages_per_connection = settings->connection_messages;
    if (settings->transaction_recipients)
        limits->recipients_per_transaction = settings->transaction_recipients;
}

static int add_destinations(struct delivery_config *config,
                            const struct delivery_settings *settings)
{
    struct delivery_destination *destinations = copy_array(
        &config->arena, settings->destinations, settings->n_destinations, sizeof(*destinations));

    for (size_t i = 0; destinations && i < settings->n_destinations; i++) {
        destinations[i].domain = copy_lower(&config->arena, destinations[i].domain).data;
        if (!destinations[i].domain)
            return FAULT(-ENOMEM);
    }
    config->destinations = destinations;
    config->n_destinations = settings->n_destinations;
    config->settings.destinations = NULL;
    return destinations ? 0 : FAULT(-ENOMEM);
}

static int fill(struct delivery_config *config, const struct delivery_settings *settings,
                const struct delivery_config *former)
{
    struct delivery_settings *own = &config->settings;
    struct arena *arena = &config->arena;
    int error;

    *own = *settings;
    config->hostname = arena_copy(arena, slice_of(settings->hostname));
    own->hostname = config->hostname.data;
    config->postmaster = arena_copy(arena, slice_of(settings->postmaster));
    own->postmaster = config->postmaster.data;
    own->binds = copy_array(arena, settings->binds, settings->n_binds, sizeof(*settings->binds));
    own->allow_mx =
        copy_array(arena, settings->allow_mx, settings->n_allow_mx, sizeof(*settings->allow_mx));
    own->own_addresses = copy_array(arena, settings->own_addresses, settings->n_own_addresses,
                                    sizeof(*settings->own_addresses));
    own->routes = NULL;
    own->book = NULL;
    config->book = settings->book ? receiver_book_ref(settings->book) : NULL;
    own->egress = NULL;
    own->pools = NULL;
    config->routes = arena_alloc(arena, (settings->n_routes + 1) * sizeof(*config->routes));
    if (!own->hostname || !own->binds || !own->allow_mx || !own->own_addresses || !config->routes)
        return FAULT(-ENOMEM);
    if (own->port == 0)
        own->port = 25;
    set_mx_policy(config);
    error = egress_table_fill(&config->egress, settings, former ? &former->egress : NULL, arena);
    if (error == 0)
        error = add_destinations(config, settings);
    for (size_t i = 0; error == 0 && i < settings->n_routes; i++)
        error = add_route(config, &settings->routes[i]);
    return error;
}

int delivery_config_new(struct delivery_config **out, const struct delivery_settings *settings,
                        const struct delivery_config *former)
{
    struct delivery_config *config = calloc(1, sizeof(*config));
    int error;

    if (!config)
        return FAULT(-ENOMEM);
    arena_init(&config->arena, 0);
    config->n_references = 1;
    error = fill(config, settings, former);
    if (error < 0) {
        delivery_config_unref(config);
        return error;
    }
    *out = config;
    return 0;
}

struct delivery_config *delivery_config_ref(struct delivery_config *config)
{
    atomic_fetch_add(&config->n_references, 1);
    return config;
}

struct delivery_config *delivery_config_unref(struct delivery_config *config)
{
    if (config && atomic_fetch_sub(&config->n_references, 1) == 1) {
        receiver_book_unref(config->book);
        arena_reset(&config->arena);
        free(config);
    }
    return NULL;
}

const struct route_rule *delivery_config_route(const struct delivery_config *config,
                                               struct slice domain)
{
    const struct route_rule *for_all = NULL;

    for (size_t i = 0; i < config->n_routes; i++) {
        const struct route_rule *rule = &config->routes[i];

        if (slice_equal_ignoring_case(rule->domain, domain))
            return rule;
        if (slice_equal(rule->domain, SLICE_LITERAL("*")))
            for_all = rule;
    }
    return for_all;
}

int delivery_config_next_hop(const struct delivery_config *config, struct slice via,
                             struct route_rule *out, struct arena *arena)
{
    CLEANUP(buffer) struct buffer name = BUFFER_INIT;
    const char *text = arena_copy(arena, via).data;
    struct slice host = {NULL, 0};
    uint16_t port = 0;
    int error = text ? read_via(text, config->settings.port, &host, &port) : FAULT(-ENOMEM);

    if (error < 0)
        return error;
    for (size_t i = 0; i < config->n_routes; i++)
        if (slice_equal_ignoring_case(config->routes[i].host, host) &&
            config->routes[i].policy.port == port) {
            *out = config->routes[i];
            return 0;
        }
    print_next_hop(&name, host, port);
    *out = (struct route_rule){
        .host = host,
        .site_name = arena_copy(arena, buffer_slice(&name)),
        .policy = {.kind = TARGET_ROUTE,
                   .tls = DELIVERY_TLS_MAY,
                   .port = port,
                   .limits = site_limits_route},
    };
    return out->site_name.data ? 0 : FAULT(-ENOMEM);
}

enum delivery_doubtful delivery_config_doubtful(const struct delivery_config *config,
                                                struct slice domain)
{
    for (size_t i = 0; i < config->n_destinations; i++)
        if (slice_equal_ignoring_case(slice_of(config->destinations[i].domain), domain))
            return config->destinations[i].doubtful;
    return config->settings.doubtful;
}

enum address_verdict delivery_config_address(const struct delivery_config *config,
                                             struct ip_address address)
{
    const struct delivery_settings *settings = &config->settings;

    for (size_t i = 0; i < settings->n_allow_mx; i++)
        if (network_contains(&settings->allow_mx[i], address))
            return ADDRESS_ALLOWED;
    for (size_t i = 0; i < settings->n_own_addresses; i++)
        if (ip_equal(settings->own_addresses[i], address))
            return ADDRESS_OWN;
    return ip_is_special(address) ? ADDRESS_SPECIAL : ADDRESS_ALLOWED;
}
