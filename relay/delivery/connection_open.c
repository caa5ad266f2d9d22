/* Finding a host that lets us in. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "relay/delivery/connection_private.h"
#include "relay/delivery/host_memory.h"

/* A turn of one connection a minute is just near enough. */
enum { LONGEST_TURN_MS = 65000 };

struct connection_query {
    struct host_query query;
    struct connection *connection;
};

static void note(struct connection *connection, struct enhanced_status status, bool is_permanent,
                 const char *text)
{
    struct smtp_reply reply = smtp_reply_with(0, status, slice_of(text));

    connection_note_trouble(connection, &reply, is_permanent);
}

static const char *host_name(const struct connection *connection)
{
    return connection->hosts[connection->order[connection->order_at]].name;
}

static bool is_route(const struct connection *connection)
{
    return connection->policy.kind == TARGET_ROUTE;
}

static void next_host(struct connection *connection)
{
    connection->order_at++;
    connection->n_addresses = connection->address_at = 0;
    connection->in_clear = false;
}

/* An MX that is one of our own addresses: hosts of the same or a worse preference lead back to us
 * (RFC 5321 5.1). */
static void skip_worse_hosts(struct connection *connection)
{
    connection->n_order = connection->order_at + 1;
    connection->address_at = connection->n_addresses;
}

/* An address of ours without one of that family leaves those hosts to the others. */
static bool can_reach(struct connection *connection, struct ip_address address)
{
    uint32_t egress = connection->lane->egress;
    struct ip_address ignored;
    char words[CONNECTION_TEXT];

    if (egress == 0 ||
        egress_table_bind(&connection->shard->config->egress, egress, address.family, &ignored))
        return true;
    snprintf(words, sizeof(words), "mail host %s: our address \"%.*s\" has no %s",
             host_name(connection),
             (int)connection->shard->config->egress.addresses[egress].name.len,
             connection->shard->config->egress.addresses[egress].name.data,
             address.family == AF_INET6 ? "IPv6" : "IPv4");
    note(connection, SMTP_STATUS(4, 4, 3), false, words);
    return false;
}

static bool is_allowed(struct connection *connection, struct ip_address address)
{
    char text[IP_TEXT_SIZE], words[CONNECTION_TEXT];
    enum address_verdict verdict = ADDRESS_ALLOWED;

    if (!is_route(connection))
        verdict = delivery_config_address(connection->config, address);
    if (verdict == ADDRESS_ALLOWED)
        return true;
    snprintf(words, sizeof(words), "mail host %s has the address %s, %s", host_name(connection),
             ip_print(address, text),
             verdict == ADDRESS_OWN ? "which is ours: the mail would loop"
                                    : "which is not on the public Internet");
    note(connection, SMTP_STATUS(5, 4, 6), true, words);
    if (verdict == ADDRESS_OWN)
        skip_worse_hosts(connection);
    return false;
}

static void describe(struct connection *connection)
{
    snprintf(connection->mx, sizeof(connection->mx), "%s", host_name(connection));
    connection->egress[0] = connection->tls[0] = '\0';
}

/* The schedule has counted the first try; every other one waits its turn here, as a connection to a
 * slow host would wait.  Too far off, and this was the last. */
static bool has_turn(struct connection *connection)
{
    int64_t now_ms = shard_now_ms(connection->shard), at_ms;

    if (connection->n_tries == 0 || connection->has_turn)
        return true;
    at_ms = lane_next_host(connection->lane, connection->message_class, now_ms,
                           now_ms + LONGEST_TURN_MS);
    if (at_ms > now_ms + LONGEST_TURN_MS) {
        connection_give_up(connection);
        return false;
    }
    connection->has_turn = true;
    if (at_ms > now_ms)
        timer_set(&connection->turn, at_ms - now_ms);
    return at_ms <= now_ms;
}

static void connect_to(struct connection *connection, struct ip_address address)
{
    struct address_pair pair = {.remote = socket_address_of(address, connection->policy.port)};
    struct ip_address local;
    int error;

    connection->n_tries++;
    connection->has_turn = false;
    if (egress_table_bind(&connection->shard->config->egress, connection->lane->egress,
                          address.family, &local))
        pair.local = socket_address_of(local, 0);
    describe(connection);
    error = stream_connect(&connection->stream, connection->shard->loop, &pair,
                           &connection_handlers, connection);
    if (error < 0) {
        note(connection, SMTP_STATUS(4, 3, 0), false, "no memory for a connection");
        later_set(&connection->later);
        return;
    }
    timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_CONNECT));
}

static void take_addresses(struct connection *connection, const struct host_query *query)
{
    char words[CONNECTION_TEXT];

    connection->n_addresses = query->n_addresses;
    memcpy(connection->addresses, query->addresses, sizeof(connection->addresses));
    connection->address_at = 0;
    if (query->status == DNS_OK)
        return;
    connection->n_addresses = 0;
    if (query->status == DNS_NO_DATA && !query->wants_v6 && !is_route(connection) &&
        egress_knows_v6(connection->shard->config, connection->lane->egress)) {
        snprintf(words, sizeof(words), "mail host %s has no IPv4 address, and IPv6 is not used now",
                 host_name(connection));
        note(connection, SMTP_STATUS(4, 4, 3), false, words);
        return;
    }
    snprintf(words, sizeof(words), "mail host %s: %s", host_name(connection),
             query->why[0] ? query->why : "has no address");
    /* A route that does not resolve is the operator's slip; the mail waits for its mending. */
    if (query->status == DNS_TEMPORARY || is_route(connection))
        note(connection, SMTP_STATUS(4, 4, 3), false, words);
    else
        note(connection, SMTP_STATUS(5, 4, 4), true, words);
}

static void on_addresses(struct host_query *query)
{
    struct connection_query *asked = CONTAINER_OF(query, struct connection_query, query);
    struct connection *connection = asked->connection;

    take_addresses(connection, query);
    connection->query = NULL;
    free(asked);
    if (connection->n_addresses == 0)
        next_host(connection);
    connection_try_next(connection);
}

static void look_up(struct connection *connection)
{
    struct delivery_shard *shard = connection->shard;
    struct connection_query *asked = calloc(1, sizeof(*asked));

    if (!asked) {
        note(connection, SMTP_STATUS(4, 3, 0), false, "no memory to ask DNS");
        connection_give_up(connection);
        return;
    }
    asked->connection = connection;
    asked->query.done = on_addresses;
    asked->query.wants_v6 =
        egress_takes_v6(&shard->delivery->egress[connection->lane->egress], shard->config) &&
        !host_memory_is_v6_broken(&shard->hosts, slice_of(host_name(connection)),
                                  shard_now_ms(shard));
    snprintf(asked->query.name, sizeof(asked->query.name), "%s", host_name(connection));
    connection->query = &asked->query;
    host_lookup(shard->resolver, &asked->query);
}

void connection_cancel_lookup(struct connection *connection)
{
    if (!connection->query)
        return;
    host_cancel(connection->query);
    free(CONTAINER_OF(connection->query, struct connection_query, query));
    connection->query = NULL;
}

/* Dead hosts are passed over, unless all are. */
static void skip_dead(struct connection *connection)
{
    size_t at = connection->order_at;

    while (at < connection->n_order &&
           host_memory_is_dead(&connection->shard->hosts,
                               slice_of(connection->hosts[connection->order[at]].name),
                               shard_now_ms(connection->shard)))
        at++;
    if (at < connection->n_order)
        connection->order_at = at;
}

/* False: this address will not do. */
static bool try_address(struct connection *connection)
{
    struct ip_address address = connection->addresses[connection->address_at];

    if (!can_reach(connection, address) || !is_allowed(connection, address))
        return false;
    if (has_turn(connection))
        connect_to(connection, address);
    return true;
}

void connection_try_next(struct connection *connection)
{
    while (connection->n_tries < CONNECTION_MOST_TRIES &&
           connection->order_at < connection->n_order) {
        if (connection->n_addresses == 0) {
            if (connection->n_tries == 0)
                skip_dead(connection);
            look_up(connection);
            return;
        }
        if (connection->address_at >= connection->n_addresses)
            next_host(connection);
        else if (try_address(connection))
            return;
        else
            connection->address_at++;
    }
    connection_give_up(connection);
}
