#include "relay/delivery/connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "relay/base/secret.h"
#include "relay/delivery/dispatch.h"
#include "relay/delivery/host_memory.h"
#include "relay/delivery/telling.h"

static void on_timer(struct timer *timer);
static void on_later(struct later *later);

/* ---- life ---- */

static struct target_host *copy_hosts(const struct target *target)
{
    struct target_host *hosts = calloc(target->n_hosts + 1, sizeof(*hosts));

    for (size_t i = 0; hosts && i < target->n_hosts; i++) {
        hosts[i].preference = target->hosts[i].preference;
        hosts[i].name = strdup(target->hosts[i].name);
        if (!hosts[i].name)
            hosts[i].name = strdup("");
    }
    return hosts;
}

struct connection *connection_open(struct target *target, struct dispatch *dispatch,
                                   enum message_class message_class)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->hosts = copy_hosts(target);
    if (!connection->hosts) {
        free(connection);
        return NULL;
    }
    list_init(&connection->idle_link);
    list_init(&connection->shard_idle);
    connection->shard = target->shard;
    connection->target = target;
    connection->site = target->site;
    connection->config = delivery_config_ref(target->config);
    connection->policy = target->policy;
    connection->dispatch = dispatch;
    connection->message_class = message_class;
    connection->counts_as_busy = true;
    connection->n_order = target_order(target, connection->order);
    timer_init(&connection->timer, target->shard->loop, on_timer);
    later_init(&connection->later, target->shard->loop, on_later);
    list_append(&target->shard->connections, &connection->all_link);
    later_set(&connection->later);
    return connection;
}

/* Its transaction is over for the site's counts. */
static void settle(struct connection *connection, bool is_kept)
{
    if (connection->counts_as_busy)
        site_transaction_ended(connection->site, connection->message_class, is_kept);
    connection->counts_as_busy = false;
}

static void drop_stream(struct connection *connection);

static void connection_free(struct connection *connection)
{
    struct delivery_shard *shard = connection->shard;

    settle(connection, false);
    if (!list_is_empty(&connection->idle_link))
        site_idle_ends(connection->site);
    site_closed(connection->site, connection->is_greeted, shard_now_ms(shard));
    list_remove(&connection->all_link);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    connection_cancel_lookup(connection);
    timer_fini(&connection->timer);
    later_cancel(&connection->later);
    drop_stream(connection);
    for (size_t i = 0; connection->hosts[i].name; i++)
        free(connection->hosts[i].name);
    free(connection->hosts);
    delivery_config_unref(connection->config);
    free(connection);
    delivery_shard_touch(shard);
}

static void release_former(struct connection *connection)
{
    struct dispatch *former = TAKE(connection->former);

    if (former)
        dispatch_release(former);
}

static void drop_stream(struct connection *connection)
{
    release_former(connection);
    timer_cancel(&connection->timer);
    connection->stream = stream_free(connection->stream);
    if (connection->has_client)
        smtp_client_fini(&connection->client);
    connection->has_client = false;
}

void connection_note_trouble(struct connection *connection, const struct smtp_reply *reply,
                             bool is_permanent)
{
    struct connection_trouble *trouble = &connection->trouble;
    struct slice text = reply->text;

    if (trouble->is_set && !trouble->is_permanent && is_permanent)
        return;
    *trouble = (struct connection_trouble){
        .code = reply->code,
        .status = reply->status,
        .is_permanent = is_permanent,
        .is_set = true,
    };
    slice_copy_to(text, trouble->text, sizeof(trouble->text));
}

void connection_give_up(struct connection *connection)
{
    struct dispatch *dispatch = TAKE(connection->dispatch);
    struct connection_trouble trouble = connection->trouble;
    struct delivery_shard *shard = connection->shard;
    struct site *site = connection->site;
    uint32_t dice;

    if (!trouble.is_set)
        trouble = (struct connection_trouble){.status = SMTP_STATUS(4, 4, 1),
                                              .text = "no mail host could be reached"};
    if (dispatch)
        dispatch_on_unreachable(dispatch, &trouble);
    connection_free(connection);
    random_bytes(&dice, sizeof(dice));
    if (!trouble.is_permanent)
        site_unreachable(site, trouble.text, &shard->config->settings.retry, dice,
                         shard_now_ms(shard));
}

/* This host or address would not do: the next one, on a later turn. */
static void try_another(struct connection *connection)
{
    drop_stream(connection);
    connection->state = CONNECTION_OPENING;
    later_set(&connection->later);
}

static void on_later(struct later *later)
{
    struct connection *connection = CONTAINER_OF(later, struct connection, later);

    if (connection->state == CONNECTION_CLOSING)
        connection_free(connection);
    else
        connection_try_next(connection);
}

static void close_soon(struct connection *connection)
{
    connection->state = CONNECTION_CLOSING;
    drop_stream(connection);
    later_set(&connection->later);
}

/* ---- speaking ---- */

static void flush(struct connection *connection)
{
    struct buffer *output = smtp_client_output(&connection->client);

    if (output->len && stream_write(connection->stream, buffer_slice(output)) < 0) {
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

static void fail_tls(struct connection *connection, const char *detail);

static void start_tls(struct connection *connection)
{
    struct tls_client *tls = tls_for(connection);

    if (!tls || stream_start_tls_client(connection->stream, tls, tls_name(connection)) < 0)
        fail_tls(connection, "no memory or no authorities for TLS");
    else {
        connection->is_starting_tls = true;
        timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_TLS));
    }
}

static enum smtp_client_tls wanted_tls(const struct connection *connection)
{
    if (connection->policy.tls == DELIVERY_TLS_VERIFY)
        return SMTP_CLIENT_TLS_MUST;
    if (connection->policy.tls != DELIVERY_TLS_MAY || connection->in_clear)
        return SMTP_CLIENT_TLS_NEVER;
    return SMTP_CLIENT_TLS_MAY;
}

static void begin_smtp(struct connection *connection)
{
    struct slice host = slice_of(connection->hosts[connection->order[connection->order_at]].name);
    struct smtp_client_settings settings = {
        .ehlo_name = connection->config->hostname,
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
    timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_BANNER));
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

static void on_input(void *owner);

static void on_secured(void *owner)
{
    struct connection *connection = owner;
    const char *tls = stream_describe_tls(connection->stream);

    connection->is_starting_tls = false;
    snprintf(connection->tls, sizeof(connection->tls), "%s", tls ? tls : "");
    if (connection->policy.tls != DELIVERY_TLS_IMPLICIT) {
        smtp_client_tls_started(&connection->client);
        flush(connection);
    }
    timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_EHLO));
}

/* ---- being told ---- */

static struct slice host_text(const struct connection *connection)
{
    return slice_of(connection->hosts[connection->order[connection->order_at]].name);
}

static void become_greeted(struct connection *connection)
{
    if (connection->is_greeted)
        return;
    connection->is_greeted = true;
    host_memory_note_alive(&connection->shard->hosts, host_text(connection));
    site_greeted(connection->site);
}

static bool is_used_up(const struct connection *connection)
{
    uint32_t most = connection->site->limits.messages_per_connection;
    uint32_t peer_most = connection->client.peer.max_mails;

    return (most && connection->n_messages >= most) ||
           (peer_most && connection->n_messages >= peer_most) || connection->shard->is_draining;
}

static void quit(struct connection *connection)
{
    if (!list_is_empty(&connection->idle_link))
        site_idle_ends(connection->site);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    settle(connection, false);
    if (!smtp_client_quit(&connection->client)) {
        close_soon(connection);
        return;
    }
    connection->state = CONNECTION_CLOSING;
    flush(connection);
    timer_set(&connection->timer, smtp_phase_timeout_ms(SMTP_PHASE_QUIT));
}

static void become_idle(struct connection *connection)
{
    connection->state = CONNECTION_READY;
    list_prepend(&connection->target->idle, &connection->idle_link);
    list_append(&connection->shard->idle, &connection->shard_idle);
    settle(connection, true);
    timer_set(&connection->timer, CONNECTION_IDLE_MS);
    delivery_shard_touch(connection->shard);
}

static void on_ready(struct connection *connection)
{
    become_greeted(connection);
    release_former(connection);
    connection->state = CONNECTION_READY;
    timer_cancel(&connection->timer);
    if (connection->dispatch)
        dispatch_on_ready(connection->dispatch);
    else if (is_used_up(connection))
        quit(connection);
    else
        become_idle(connection);
}

static void linger(struct connection *connection, struct dispatch *dispatch)
{
    const struct smtp_client *client = &connection->client;

    connection->former = dispatch;
    dispatch->is_lingering = true;
    dispatch_on_end(dispatch, client->phase, &client->reply, client->is_doubtful);
}

static void end_transaction(struct connection *connection)
{
    const struct smtp_client *client = &connection->client;
    struct dispatch *dispatch = TAKE(connection->dispatch);
    bool is_kept_one = connection->n_messages > 1;

    if (!dispatch)
        return;
    if (verdict_says_slower(client->phase, &client->reply))
        site_slow_down(connection->site);
    else if (client->phase == SMTP_PHASE_DOT && smtp_reply_is_positive(client->reply))
        site_went_well(connection->site);
    /* Peers close kept connections when they like: nothing of this message was said yet. */
    if (is_kept_one && client->phase <= SMTP_PHASE_MAIL &&
        (client->reply.code == 0 || client->reply.code == 421))
        dispatch_on_stale(dispatch);
    else
        linger(connection, dispatch);
}

static void fail_host(struct connection *connection)
{
    const struct smtp_reply *reply = &connection->client.reply;
    bool is_permanent = verdict_of(connection->client.phase, reply, 0) == VERDICT_FAILED;

    connection_note_trouble(connection, reply, is_permanent);
    if (connection->client.phase <= SMTP_PHASE_BANNER && reply->code == 0)
        host_memory_note_dead(&connection->shard->hosts, host_text(connection),
                              shard_now_ms(connection->shard));
    connection->address_at++;
    if (reply->code)
        connection->address_at = connection->n_addresses; /* it spoke: on to the next host */
    try_another(connection);
}

/* The session is over: idle, in QUIT, or with a dispatch that was not sent yet. */
static void on_closed(struct connection *connection)
{
    struct dispatch *dispatch = TAKE(connection->dispatch);

    if (dispatch && connection->n_messages > 0)
        dispatch_on_stale(dispatch);
    else if (dispatch)
        dispatch_on_end(dispatch, SMTP_PHASE_IDLE, &connection->client.reply, false);
    if (!list_is_empty(&connection->idle_link))
        site_idle_ends(connection->site);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    close_soon(connection);
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
        on_ready(connection);
        return connection->state != CONNECTION_CLOSING;
    case SMTP_CLIENT_RECIPIENT_REPLIED:
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
        end_transaction(connection);
        return connection->state != CONNECTION_CLOSING;
    case SMTP_CLIENT_SESSION_FAILED:
        fail_host(connection);
        return false;
    case SMTP_CLIENT_CLOSED:
        on_closed(connection);
        return false;
    }
    return false;
}

static void watch_progress(struct connection *connection)
{
    if (connection->is_broken)
        return;
    if (connection->state == CONNECTION_OPENING || connection->state == CONNECTION_BUSY)
        timer_set(&connection->timer, smtp_phase_timeout_ms(connection->client.phase));
}

static void feed(struct connection *connection)
{
    bool goes_on = true;

    while (goes_on && connection->stream) {
        struct slice input = stream_input(connection->stream);
        size_t n_before = input.len;
        enum smtp_client_step step = smtp_client_feed(&connection->client, &input);

        stream_consume(connection->stream, n_before - input.len);
        flush(connection);
        if (!connection->stream)
            return;
        if (step == SMTP_CLIENT_MORE)
            watch_progress(connection);
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
    watch_progress(connection);
    if (connection->client.phase == SMTP_PHASE_BODY && connection->dispatch)
        dispatch_on_room(connection->dispatch);
}

/* ---- losing it ---- */

static void fail_tls(struct connection *connection, const char *detail)
{
    char words[CONNECTION_TEXT];
    struct smtp_reply reply = {.status = SMTP_STATUS(4, 7, 5)};

    connection->is_starting_tls = false;
    snprintf(words, sizeof(words), "TLS with %s failed: %s", connection->mx,
             detail ? detail : "no reason given");
    reply.text = slice_of(words);
    connection_note_trouble(connection, &reply, false);
    if (connection->policy.tls == DELIVERY_TLS_MAY && !connection->in_clear) {
        EVENT(EVENT_TLS_FALLBACK, field_text("site", connection->site->name),
              field_text("mx", connection->mx), field_text("reason", detail));
        host_memory_note_tls_broken(&connection->shard->hosts, host_text(connection),
                                    shard_now_ms(connection->shard));
        connection->in_clear = true; /* the same address once more */
    } else {
        connection->address_at++;
    }
    try_another(connection);
}

static void lose(struct connection *connection, const char *why)
{
    switch (smtp_client_lost(&connection->client, why)) {
    case SMTP_CLIENT_SESSION_FAILED:
        fail_host(connection);
        return;
    case SMTP_CLIENT_TRANSACTION_FAILED:
        end_transaction(connection);
        break;
    case SMTP_CLIENT_CLOSED:
    case SMTP_CLIENT_MORE:
    case SMTP_CLIENT_START_TLS:
    case SMTP_CLIENT_READY:
    case SMTP_CLIENT_RECIPIENT_REPLIED:
    case SMTP_CLIENT_SEND_BODY:
    case SMTP_CLIENT_MESSAGE_REPLIED:
    case SMTP_CLIENT_NO_RECIPIENT:
        break;
    }
    on_closed(connection);
}

static void fail_connect(struct connection *connection, const char *detail)
{
    char words[CONNECTION_TEXT], address[IP_TEXT_SIZE];
    struct smtp_reply reply = {.status = SMTP_STATUS(4, 4, 1)};

    snprintf(words, sizeof(words), "connect to %s[%s]: %s", connection->mx,
             ip_print(connection->addresses[connection->address_at], address),
             detail ? detail : "failed");
    reply.text = slice_of(words);
    connection_note_trouble(connection, &reply, false);
    host_memory_note_dead(&connection->shard->hosts, host_text(connection),
                          shard_now_ms(connection->shard));
    EVENT(EVENT_HOST_DEAD, field_text("site", connection->site->name),
          field_text("mx", connection->mx), field_text("reason", detail));
    connection->address_at++;
    try_another(connection);
}

static void on_end(void *owner, enum stream_end why, const char *detail)
{
    struct connection *connection = owner;

    if (why == STREAM_CONNECT_FAILED || !connection->has_client)
        fail_connect(connection, detail);
    else if (connection->is_starting_tls)
        fail_tls(connection, detail);
    else
        lose(connection, "Connection lost");
}

static void on_timer(struct timer *timer)
{
    struct connection *connection = CONTAINER_OF(timer, struct connection, timer);

    if (!connection->has_client)
        fail_connect(connection, "timed out");
    else if (connection->is_starting_tls)
        fail_tls(connection, "timed out");
    else if (connection->state == CONNECTION_CLOSING)
        close_soon(connection);
    else if (!list_is_empty(&connection->idle_link))
        quit(connection);
    else
        lose(connection, "Timed out");
}

const struct stream_handlers connection_handlers = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_drained = on_drained,
    .on_secured = on_secured,
    .on_end = on_end,
};

/* ---- for the dispatch ---- */

struct connection *connection_take(struct target *target, struct dispatch *dispatch,
                                   enum message_class message_class)
{
    struct connection *connection;

    if (list_is_empty(&target->idle))
        return NULL;
    connection = CONTAINER_OF(target->idle.next, struct connection, idle_link);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    timer_cancel(&connection->timer);
    connection->dispatch = dispatch;
    connection->message_class = message_class;
    connection->counts_as_busy = true;
    return connection;
}

int connection_send(struct connection *connection, const struct smtp_transaction *transaction)
{
    int result = smtp_client_send(&connection->client, transaction);

    if (result != 0)
        return result;
    connection->state = CONNECTION_BUSY;
    connection->n_messages++;
    flush(connection);
    watch_progress(connection);
    return 0;
}

size_t connection_room(const struct connection *connection)
{
    return connection->stream ? stream_output_room(connection->stream) : 0;
}

int connection_write_body(struct connection *connection, struct slice chunk)
{
    int result = smtp_client_body(&connection->client, chunk);

    if (result == 0)
        flush(connection);
    return result;
}

int connection_end_body(struct connection *connection)
{
    int result = smtp_client_body_end(&connection->client);

    if (result != 0)
        return result;
    flush(connection);
    watch_progress(connection);
    return 0;
}

void connection_let_go(struct connection *connection)
{
    connection->dispatch = NULL;
    if (connection->state == CONNECTION_READY)
        on_ready(connection);
}

void connection_abort(struct connection *connection)
{
    connection->dispatch = NULL;
    close_soon(connection);
}

void connection_end_oldest_idle(struct delivery_shard *shard)
{
    if (!list_is_empty(&shard->idle))
        quit(CONTAINER_OF(shard->idle.next, struct connection, shard_idle));
}

void connection_end_idle(struct delivery_shard *shard)
{
    while (!list_is_empty(&shard->idle))
        connection_end_oldest_idle(shard);
}

void connection_free_all(struct delivery_shard *shard)
{
    while (!list_is_empty(&shard->connections))
        connection_free(CONTAINER_OF(shard->connections.next, struct connection, all_link));
}
