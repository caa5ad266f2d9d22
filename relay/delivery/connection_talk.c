/* The conversation with a host: what is said, what is told of it, and losing it. */
#include <stdio.h>
#include <string.h>

#include "relay/delivery/connection_private.h"
#include "relay/delivery/dispatch.h"
#include "relay/delivery/hearing.h"
#include "relay/delivery/host_memory.h"
#include "relay/delivery/telling.h"

/* ---- speaking ---- */

void connection_flush(struct connection *connection)
{
    struct buffer *output = smtp_client_output(&connection->client);
    int error = buffer_error(output); /* a command with a hole must not leave */

    if (error == 0 && output->len)
        error = stream_write(connection->stream, buffer_slice(output));
    if (error < 0) {
        connection->is_broken = true; /* no memory: lost, on the next turn */
        timer_set(&connection->timer, 0);
    }
    buffer_clear(output);
}

static const char *tls_name(const struct connection *connection)
{
    const char *name = connection->hosts[connection->order[connection->order_at]].name;
    struct ip_address ip;

    return ip_parse(slice_of(name), &ip) && connection->policy.tls != DELIVERY_TLS_VERIFY ? NULL
                                                                                          : name;
}

static struct tls_client *tls_for(struct connection *connection)
{
    struct delivery_shard *shard = connection->shard;
    char why[TLS_WHY_SIZE];

    if (connection->policy.tls != DELIVERY_TLS_VERIFY)
        return shard->tls_may;
    if (!shard->tls_verify && tls_client_new(&shard->tls_verify, TLS_CLIENT_VERIFY,
                                             shard->delivery->authorities_pem, why) < 0) {
        log_debug("delivery", "no verifying TLS: %s", why);
        return NULL;
    }
    return shard->tls_verify;
}

static void start_tls(struct connection *connection)
{
    struct tls_client *tls = tls_for(connection);

    if (!tls || stream_start_tls_client(connection->stream, tls, tls_name(connection)) < 0)
        connection_fail_tls(connection, "no memory or no authorities for TLS");
    else {
        connection->is_starting_tls = true;
        connection_await(connection, smtp_phase_timeout_ms(SMTP_PHASE_TLS));
    }
}

static enum smtp_client_tls wanted_tls(const struct connection *connection)
{
    if (connection->policy.tls == DELIVERY_TLS_VERIFY ||
        connection->policy.tls == DELIVERY_TLS_MUST)
        return SMTP_CLIENT_TLS_MUST;
    if (connection->policy.tls != DELIVERY_TLS_MAY || connection->in_clear)
        return SMTP_CLIENT_TLS_NEVER;
    return SMTP_CLIENT_TLS_MAY;
}

/* The name of the address it leaves from. */
static struct slice ehlo_name(const struct connection *connection)
{
    struct slice own =
        connection->shard->config->egress.addresses[connection->lane->egress].hostname;

    return own.len ? own : connection->config->hostname;
}

static void begin_smtp(struct connection *connection)
{
    struct slice host = slice_of(connection->hosts[connection->order[connection->order_at]].name);
    struct smtp_client_settings settings = {
        .ehlo_name = ehlo_name(connection),
        .is_secure = connection->policy.tls == DELIVERY_TLS_IMPLICIT,
        .user = connection->policy.user,
        .password = connection->policy.password,
        .auth_in_clear = connection->policy.tls == DELIVERY_TLS_NEVER,
    };

    connection->in_clear |=
        host_memory_is_tls_broken(&connection->shard->hosts, host, shard_now_ms(connection->shard));
    settings.tls = wanted_tls(connection);
    smtp_client_init(&connection->client, &settings);
    connection->has_client = true;
    connection_await(connection, smtp_phase_timeout_ms(SMTP_PHASE_BANNER));
}

static void on_connected(void *owner)
{
    struct connection *connection = owner;

    ip_print(socket_address_ip(stream_local_address(connection->stream)), connection->egress);
    snprintf(connection->tls, sizeof(connection->tls), "none");
    begin_smtp(connection);
    if (connection->policy.tls == DELIVERY_TLS_IMPLICIT)
        start_tls(connection);
}

static void on_secured(void *owner)
{
    struct connection *connection = owner;
    const char *tls = stream_describe_tls(connection->stream);

    connection->is_starting_tls = false;
    snprintf(connection->tls, sizeof(connection->tls), "%s", tls ? tls : "");
    if (connection->policy.tls != DELIVERY_TLS_IMPLICIT) {
        smtp_client_tls_started(&connection->client);
        connection_flush(connection);
    }
    connection_await(connection, smtp_phase_timeout_ms(SMTP_PHASE_EHLO));
}

/* ---- being told ---- */

struct slice connection_host(const struct connection *connection)
{
    return slice_of(connection->hosts[connection->order[connection->order_at]].name);
}

static void become_greeted(struct connection *connection)
{
    if (connection->is_greeted)
        return;
    connection->is_greeted = true;
    host_memory_note_alive(&connection->shard->hosts, connection_host(connection));
    lane_greeted(connection->lane, shard_now_ms(connection->shard));
}

static bool is_used_up(const struct connection *connection)
{
    uint32_t most = limits_stricter(lane_messages_per_connection(connection->lane),
                                    connection->client.peer.max_mails);

    return connection->is_unwelcome || connection->is_outdated || connection->shard->is_draining ||
           (most && connection->n_messages >= most);
}

void connection_quit(struct connection *connection)
{
    if (!list_is_empty(&connection->idle_link))
        lane_idle_ends(connection->lane);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    connection_settle(connection, false);
    if (!smtp_client_quit(&connection->client)) {
        connection_close_soon(connection);
        return;
    }
    connection->state = CONNECTION_CLOSING;
    connection_flush(connection);
    timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_QUIT));
}

static void become_idle(struct connection *connection)
{
    connection->state = CONNECTION_READY;
    list_prepend(&connection->lane->idle, &connection->idle_link);
    list_append(&connection->shard->idle, &connection->shard_idle);
    connection_settle(connection, true);
    timer_set(&connection->timer,
              connection->policy.idle_ms ? connection->policy.idle_ms : CONNECTION_IDLE_MS);
    delivery_shard_touch(connection->shard);
}

void connection_become_ready(struct connection *connection)
{
    become_greeted(connection);
    connection_release_former(connection);
    connection->state = CONNECTION_READY;
    timer_cancel(&connection->timer);
    if (connection->dispatch)
        dispatch_on_ready(connection->dispatch);
    else if (is_used_up(connection))
        connection_quit(connection);
    else
        become_idle(connection);
}

void connection_doubt_v6(struct connection *connection)
{
    struct delivery_shard *shard = connection->shard;

    host_memory_note_v6_broken(&shard->hosts, connection_host(connection), shard_now_ms(shard));
    egress_doubt(&shard->delivery->egress[connection->lane->egress]);
}

static bool is_v6(const struct connection *connection)
{
    return connection->address_at < connection->n_addresses &&
           connection->addresses[connection->address_at].family == AF_INET6;
}

/* An address that stands for the host has no other beside it: what it refuses is refused. */
static bool is_literal(const struct connection *connection)
{
    struct ip_address ignored;

    return ip_parse(connection_host(connection), &ignored);
}

bool connection_is_refused_v6(const struct connection *connection, const struct smtp_reply *reply)
{
    return is_v6(connection) && !is_literal(connection) &&
           enhanced_status_equal(reply->status, SMTP_STATUS(5, 7, 25));
}

/* Kept ones would only be refused too. */
static void note_v6_refusal(struct connection *connection, const struct smtp_reply *reply)
{
    if (!connection_is_refused_v6(connection, reply))
        return;
    connection_doubt_v6(connection);
    connection->is_unwelcome = true;
    LIST_FOR_EACH(link, &connection->lane->idle)
    {
        struct connection *idle = CONTAINER_OF(link, struct connection, idle_link);

        if (is_v6(idle))
            connection_quit(idle);
    }
}

static void linger(struct connection *connection, struct dispatch *dispatch)
{
    const struct smtp_client *client = &connection->client;

    connection->former = dispatch;
    dispatch->is_lingering = true;
    dispatch_on_end(dispatch, client->phase, &client->reply, client->is_doubtful);
}

static void slow_down(struct connection *connection, const struct dispatch *dispatch)
{
    char *said = slice_to_string(connection->client.reply.text);
    int64_t now_ms = shard_now_ms(connection->shard);

    lane_slow_down(connection->lane, said, dispatch->turn_ms ? dispatch->turn_ms : now_ms, now_ms);
    free(said);
}

void connection_end_transaction(struct connection *connection)
{
    const struct smtp_client *client = &connection->client;
    struct dispatch *dispatch = TAKE(connection->dispatch);
    /* Peers close kept connections when they like: nothing was said yet, and no pace is meant. */
    bool is_stale = connection->n_messages > 1 && client->phase <= SMTP_PHASE_MAIL &&
                    (client->reply.code == 0 || client->reply.code == 421);

    if (!dispatch)
        return;
    note_v6_refusal(connection, &client->reply);
    if (!is_stale && verdict_says_slower(client->phase, &client->reply))
        slow_down(connection, dispatch);
    else if (client->phase == SMTP_PHASE_DOT && smtp_reply_is_positive(client->reply))
        lane_went_well(connection->lane, shard_now_ms(connection->shard));
    if (is_stale)
        dispatch_on_stale(dispatch);
    else
        linger(connection, dispatch);
}

void connection_fail_host(struct connection *connection)
{
    const struct smtp_reply *reply = &connection->client.reply;
    bool is_permanent = verdict_of(connection->client.phase, reply, 0) == VERDICT_FAILED;

    connection_note_trouble(connection, reply, is_permanent);
    if (!connection_is_refused_v6(connection, reply))
        hearing_host(connection, connection->client.phase, reply);
    note_v6_refusal(connection, reply);
    if (connection->client.phase <= SMTP_PHASE_BANNER && reply->code == 0)
        host_memory_note_dead(&connection->shard->hosts, connection_host(connection),
                              shard_now_ms(connection->shard));
    connection->address_at++;
    if (connection->is_unwelcome) {
        while (is_v6(connection))
            connection->address_at++;
        connection->is_unwelcome = false;
    } else if (reply->code) {
        connection->address_at = connection->n_addresses; /* it spoke: on to the next host */
    }
    connection_try_another(connection);
}

/* The session is over: idle, in QUIT, or with a dispatch that was not sent yet. */
void connection_on_closed(struct connection *connection)
{
    struct dispatch *dispatch = TAKE(connection->dispatch);

    if (dispatch && connection->n_messages > 0)
        dispatch_on_stale(dispatch);
    else if (dispatch)
        dispatch_on_end(dispatch, SMTP_PHASE_IDLE, &connection->client.reply, false);
    if (!list_is_empty(&connection->idle_link))
        lane_idle_ends(connection->lane);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    connection_close_soon(connection);
}

/* False: the connection is not to be fed any more. */
static bool take_step(struct connection *connection, enum smtp_client_step step)
{
    struct smtp_client *client = &connection->client;

    switch (step) {
    case SMTP_CLIENT_MORE:
        return false;
    case SMTP_CLIENT_START_TLS:
        start_tls(connection);
        return false;
    case SMTP_CLIENT_READY:
        connection_become_ready(connection);
        return connection->state != CONNECTION_CLOSING;
    case SMTP_CLIENT_RECIPIENT_REPLIED:
        note_v6_refusal(connection, &client->reply);
        if (connection->dispatch)
            dispatch_on_recipient(connection->dispatch, client->recipient_index, client->phase,
                                  &client->reply, client->n_accepted);
        return true;
    case SMTP_CLIENT_SEND_BODY:
        if (connection->dispatch)
            dispatch_on_room(connection->dispatch);
        return connection->state == CONNECTION_BUSY;
    case SMTP_CLIENT_MESSAGE_REPLIED:
    case SMTP_CLIENT_NO_RECIPIENT:
    case SMTP_CLIENT_TRANSACTION_FAILED:
        connection_end_transaction(connection);
        return connection->state != CONNECTION_CLOSING;
    case SMTP_CLIENT_SESSION_FAILED:
        connection_fail_host(connection);
        return false;
    case SMTP_CLIENT_CLOSED:
        connection_on_closed(connection);
        return false;
    }
    return false;
}

static void feed(struct connection *connection)
{
    bool goes_on = true, has_reply = false;

    while (goes_on && connection->stream) {
        struct slice input = stream_input(connection->stream);
        size_t n_before = input.len;
        enum smtp_client_step step = smtp_client_feed(&connection->client, &input);

        stream_consume(connection->stream, n_before - input.len);
        connection_flush(connection);
        if (!connection->stream)
            return;
        if (step == SMTP_CLIENT_MORE && has_reply)
            connection_note_progress(connection);
        has_reply = true;
        goes_on = take_step(connection, step);
    }
}

static void on_input(void *owner)
{
    struct connection *connection = owner;

    if (connection->has_client)
        feed(connection);
    else
        stream_discard_input(connection->stream);
}

static void on_drained(void *owner)
{
    struct connection *connection = owner;

    if (connection->state != CONNECTION_BUSY)
        return;
    connection_note_progress(connection);
    if (connection->client.phase == SMTP_PHASE_BODY && connection->dispatch)
        dispatch_on_room(connection->dispatch);
}

const struct stream_handlers connection_handlers = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_drained = on_drained,
    .on_secured = on_secured,
    .on_end = connection_on_end,
};
