#include "relay/service_settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "relay/net/own_addresses.h"

enum {
    HOSTNAME_SIZE = 256,
    MAX_OWN_ADDRESSES = 256,
    DNS_PORT = 53,
    SIGNATURE_EXTRA_S = 2 * 86400,
    SIGNATURE_MOST_S = 7 * 86400,
};

const char *service_hostname(const struct settings *settings, struct arena *arena)
{
    char name[HOSTNAME_SIZE] = "";

    if (*settings->hostname)
        return settings->hostname;
    if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
        return "localhost";
    return arena_copy(arena, slice_of(name)).data;
}

static struct quota_limits quotas_of(const struct settings_limits *limits)
{
    return (struct quota_limits){
        .rates = {[QUOTA_MESSAGES_PER_MINUTE] = (uint32_t)limits->messages_per_minute,
                  [QUOTA_RECIPIENTS_PER_MINUTE] = (uint32_t)limits->recipients_per_minute  },
        .budgets = { [QUOTA_MESSAGES_PER_HOUR] = (uint32_t)limits->messages_per_hour,
                  [QUOTA_MESSAGES_PER_DAY] = (uint32_t)limits->messages_per_day,
                  [QUOTA_MESSAGES_PER_MONTH] = (uint32_t)limits->messages_per_month,
                  [QUOTA_RECIPIENTS_PER_HOUR] = (uint32_t)limits->recipients_per_hour,
                  [QUOTA_RECIPIENTS_PER_DAY] = (uint32_t)limits->recipients_per_day,
                  [QUOTA_RECIPIENTS_PER_MONTH] = (uint32_t)limits->recipients_per_month,
                  [QUOTA_TRANSACTIONAL_PER_HOUR] = (uint32_t)limits->transactional_per_hour},
    };
}

void service_policy_settings(const struct settings *settings, struct policy_settings *out)
{
    *out = policy_default_settings;
    out->max_sessions = (uint32_t)settings->limits.connections;
    out->sessions_per_address = (uint32_t)settings->limits.per_address;
    out->sessions_per_user = (uint32_t)settings->limits.per_user;
    out->quotas = quotas_of(&settings->limits);
    out->has_brake = settings->limits.brake;
    out->outbound_connections = (uint32_t)settings->delivery.connections;
}

/* A message that was let in must also fit, with its copy at a compaction. */
uint64_t service_min_free(const struct settings *settings)
{
    uint64_t for_one_message = (uint64_t)settings->limits.message_size * 3 / 2;
    uint64_t keep_free = (uint64_t)settings->spool.keep_free;

    return keep_free > for_one_message ? keep_free : for_one_message;
}

void service_spool_settings(const struct settings *settings, struct spool_settings *out)
{
    *out = (struct spool_settings){
        .dir = settings->spool_dir,
        .segment_bytes = (uint64_t)settings->spool.segment_size,
        .min_free_bytes = service_min_free(settings),
    };
}

void service_intake_settings(const struct settings *settings, const char *hostname,
                             struct intake_settings *out)
{
    const struct settings_limits *limits = &settings->limits;

    *out = (struct intake_settings){
        .hostname = hostname,
        .message_size = (uint64_t)limits->message_size,
        .max_recipients = (uint32_t)limits->recipients,
        .idle_ms = limits->idle,
        .idle_before_login_ms = limits->idle_before_login,
        .data_idle_ms = limits->data_idle,
        .expire_ms = settings->delivery.expire,
        .least_rate = (uint64_t)limits->least_rate,
        .body_memory = (uint64_t)limits->body_memory,
        .quotas = quotas_of(limits),
    };
}

static int parse_binds(const struct text_list *texts, struct arena *arena,
                       struct delivery_settings *out)
{
    struct ip_address *binds = arena_alloc(arena, (texts->n_items + 1) * sizeof(*binds));

    if (!binds)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < texts->n_items; i++)
        if (!ip_parse(slice_of(texts->items[i]), &binds[i]))
            return FAULT(-EINVAL);
    out->binds = binds;
    out->n_binds = texts->n_items;
    return 0;
}

static int make_egress(const struct settings *settings, struct arena *arena,
                       struct delivery_settings *out)
{
    struct delivery_egress *list = arena_alloc(arena, (settings->n_egress + 1) * sizeof(*list));

    if (!list)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < settings->n_egress; i++) {
        const struct settings_egress *egress = &settings->egress[i];

        list[i] = (struct delivery_egress){
            .name = egress->title,
            .hostname = egress->hostname,
            .weight = (uint32_t)egress->weight,
        };
        if (!warm_up_curve_parse(slice_of(egress->warm_up), &list[i].warm_up))
            return FAULT(-EINVAL);
        for (size_t k = 0; k < egress->address.n_items; k++) {
            struct ip_address address;

            if (!ip_parse(slice_of(egress->address.items[k]), &address))
                return FAULT(-EINVAL);
            *(address.family == AF_INET6 ? &list[i].v6 : &list[i].v4) = address;
        }
    }
    out->egress = list;
    out->n_egress = settings->n_egress;
    return 0;
}

static int make_pools(const struct settings *settings, struct arena *arena,
                      struct delivery_settings *out)
{
    struct delivery_pool *pools = arena_alloc(arena, (settings->n_pool + 1) * sizeof(*pools));

    if (!pools)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < settings->n_pool; i++) {
        const struct settings_pool *pool = &settings->pool[i];

        pools[i] = (struct delivery_pool){
            .name = pool->title,
            .egress = pool->egress.items,
            .users = pool->user.items,
            .domains = pool->domain.items,
            .n_egress = pool->egress.n_items,
            .n_users = pool->user.n_items,
            .n_domains = pool->domain.n_items,
            .message_class = strcmp(pool->class, "transactional") == 0 ? CLASS_TRANSACTIONAL
                             : strcmp(pool->class, "bulk") == 0        ? CLASS_BULK
                                                                       : -1,
        };
    }
    out->pools = pools;
    out->n_pools = settings->n_pool;
    return 0;
}

static int parse_networks(const struct text_list *texts, struct arena *arena,
                          struct delivery_settings *out)
{
    struct network *networks = arena_alloc(arena, (texts->n_items + 1) * sizeof(*networks));

    if (!networks)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < texts->n_items; i++)
        if (!network_parse(slice_of(texts->items[i]), &networks[i]))
            return FAULT(-EINVAL);
    out->allow_mx = networks;
    out->n_allow_mx = texts->n_items;
    return 0;
}

static enum delivery_tls tls_of(const char *word)
{
    static const struct {
        const char *word;
        enum delivery_tls tls;
    } rows[] = {
        {"never",    DELIVERY_TLS_NEVER   },
        {"may",      DELIVERY_TLS_MAY     },
        {"verify",   DELIVERY_TLS_VERIFY  },
        {"implicit", DELIVERY_TLS_IMPLICIT}
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].word, word) == 0)
            return rows[i].tls;
    return DELIVERY_TLS_MAY;
}

static enum delivery_ipv6 ipv6_of(const char *word)
{
    return strcmp(word, "always") == 0  ? DELIVERY_IPV6_ALWAYS
           : strcmp(word, "never") == 0 ? DELIVERY_IPV6_NEVER
                                        : DELIVERY_IPV6_CHECKED;
}

static int make_routes(const struct settings *settings, struct arena *arena,
                       struct delivery_settings *out)
{
    struct delivery_route *routes = arena_alloc(arena, (settings->n_route + 1) * sizeof(*routes));

    if (!routes)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < settings->n_route; i++) {
        const struct settings_route *route = &settings->route[i];

        routes[i] = (struct delivery_route){
            .domain = route->title,
            .via = route->via,
            .tls = tls_of(route->tls),
            .user = route->user,
            .password = route->password,
            .connections = (uint32_t)route->connections,
            .messages_per_second = (uint32_t)route->messages_per_second,
        };
    }
    out->routes = routes;
    out->n_routes = settings->n_route;
    return 0;
}

static enum delivery_doubtful doubtful_of(const char *word)
{
    return strcmp(word, "ask") == 0    ? DOUBTFUL_ASK
           : strcmp(word, "wait") == 0 ? DOUBTFUL_WAIT
                                       : DOUBTFUL_RETRY;
}

static int make_destinations(const struct settings *settings, struct arena *arena,
                             struct delivery_settings *out)
{
    struct delivery_destination *destinations =
        arena_alloc(arena, (settings->n_destination + 1) * sizeof(*destinations));

    if (!destinations)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < settings->n_destination; i++) {
        const struct settings_destination *destination = &settings->destination[i];

        if (strcmp(destination->doubtful, "default") != 0)
            destinations[out->n_destinations++] = (struct delivery_destination){
                destination->title, doubtful_of(destination->doubtful)};
    }
    out->destinations = destinations;
    return 0;
}

/* An MX that is one of these leads back to us. */
static int list_own_addresses(struct arena *arena, struct delivery_settings *out)
{
    struct ip_address *own = arena_alloc(arena, MAX_OWN_ADDRESSES * sizeof(*own));

    if (!own)
        return FAULT(-ENOMEM);
    out->own_addresses = own;
    out->n_own_addresses = own_addresses_list(own, MAX_OWN_ADDRESSES);
    return 0;
}

/* RFC 6376 3.5: as long as the mail may be under way, and not much longer. */
static uint32_t signature_life_s(const struct settings *settings)
{
    int64_t life_s = settings->delivery.expire / 1000 + SIGNATURE_EXTRA_S;

    if (!settings->dkim.expire)
        return 0;
    return (uint32_t)(life_s < SIGNATURE_MOST_S ? life_s : (int64_t)SIGNATURE_MOST_S);
}

static void fill_plain(const struct settings *settings, const char *hostname,
                       struct delivery_settings *out)
{
    const struct settings_delivery *delivery = &settings->delivery;

    *out = (struct delivery_settings){
        .hostname = hostname,
        .postmaster = settings->postmaster,
        .port = (uint16_t)delivery->port,
        .tls = tls_of(delivery->tls),
        .ipv6 = ipv6_of(delivery->ipv6),
        .expire_ms = delivery->expire,
        .delay_report_ms = delivery->delay_report,
        .digest_ms = delivery->digest,
        .doubtful = doubtful_of(delivery->doubtful),
        .doubtful_wait_ms = delivery->doubtful_wait,
        .signature_life_s = signature_life_s(settings),
        .connections = (uint32_t)delivery->connections,
        .site_connections = (uint32_t)delivery->site_connections,
        .site_connections_per_minute = (uint32_t)delivery->site_connections_per_minute,
        .connection_messages = (uint32_t)delivery->connection_messages,
        .transaction_recipients = (uint32_t)delivery->transaction_recipients,
    };
    out->retry.n_steps = 0;
    for (size_t i = 0; i < delivery->retry.n_items && out->retry.n_steps < RETRY_MAX_STEPS; i++)
        out->retry.steps_ms[out->retry.n_steps++] = delivery->retry.items[i];
}

int service_delivery_settings(const struct bundle *bundle, const char *hostname,
                              struct arena *arena, struct delivery_settings *out)
{
    const struct settings *settings = bundle->settings;
    int error;

    fill_plain(settings, hostname, out);
    out->book = bundle->book;
    error = parse_binds(&settings->delivery.bind, arena, out);
    if (error == 0)
        error = make_egress(settings, arena, out);
    if (error == 0)
        error = make_pools(settings, arena, out);
    if (error == 0)
        error = parse_networks(&settings->delivery.allow_mx, arena, out);
    if (error == 0)
        error = make_routes(settings, arena, out);
    if (error == 0)
        error = make_destinations(settings, arena, out);
    return error < 0 ? error : list_own_addresses(arena, out);
}

int service_resolver_settings(const struct settings *settings, struct arena *arena,
                              struct resolver_settings *out)
{
    const struct text_list *forward = &settings->resolver.forward;
    struct socket_address *forwarders =
        arena_alloc(arena, (forward->n_items + 1) * sizeof(*forwarders));

    if (!forwarders)
        return FAULT(-ENOMEM);
    *out = (struct resolver_settings){
        .mode = forward->n_items               ? RESOLVER_FORWARD
                : settings->resolver.recursion ? RESOLVER_RECURSE
                                               : RESOLVER_SYSTEM,
        .forwarders = forwarders,
        .n_forwarders = forward->n_items,
        .trust_anchor_file =
            *settings->resolver.trust_anchor ? settings->resolver.trust_anchor : NULL,
    };
    for (size_t i = 0; i < forward->n_items; i++)
        if (!socket_address_parse(slice_of(forward->items[i]), DNS_PORT, &forwarders[i]))
            return FAULT(-EINVAL);
    return 0;
}

static const struct settings_listen *section_of(const struct settings *settings, const char *title)
{
    for (size_t i = 0; i < settings->n_listen; i++)
        if (strcmp(settings->listen[i].title, title) == 0)
            return &settings->listen[i];
    return NULL; /* the control socket, or the panel's */
}

int service_listeners(const struct bundle *bundle, struct arena *arena,
                      struct intake_listener **out, size_t *n_out)
{
    struct intake_listener *listeners =
        arena_alloc(arena, (bundle->n_listeners + 1) * sizeof(*listeners));

    if (!listeners)
        return FAULT(-ENOMEM);
    *n_out = 0;
    *out = listeners;
    for (size_t i = 0; i < bundle->n_listeners; i++) {
        const struct settings_listen *section =
            section_of(bundle->settings, bundle->listeners[i].name);

        if (!section)
            continue;
        listeners[(*n_out)++] = (struct intake_listener){
            .name = section->title,
            .fd = bundle->listeners[i].fd,
            .tls = strcmp(section->tls, "implicit") == 0   ? INTAKE_TLS_IMPLICIT
                   : strcmp(section->tls, "starttls") == 0 ? INTAKE_TLS_STARTTLS
                                                           : INTAKE_TLS_NONE,
            .bounces_only = strcmp(section->auth, "none") == 0,
            .plain_auth = section->plain_auth,
            .repair_newlines = section->repair_newlines,
        };
    }
    return 0;
}
