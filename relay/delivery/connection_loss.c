/* Losing a connection: refused, broken, silent for too long, TLS that fails. */
#include <stdio.h>

#include "relay/base/log.h"
#include "relay/delivery/connection_private.h"
#include "relay/delivery/host_memory.h"

void connection_fail_tls(struct connection *connection, const char *detail)
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
        host_memory_note_tls_broken(&connection->shard->hosts, connection_host(connection),
                                    shard_now_ms(connection->shard));
        connection->in_clear = true; /* the same address once more */
    } else {
        connection->address_at++;
    }
    connection_try_another(connection);
}

static void lose(struct connection *connection, const char *why)
{
    switch (smtp_client_lost(&connection->client, why)) {
    case SMTP_CLIENT_SESSION_FAILED:
        connection_fail_host(connection);
        return;
    case SMTP_CLIENT_TRANSACTION_FAILED:
        connection_end_transaction(connection);
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
    connection_on_closed(connection);
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
    if (connection->addresses[connection->address_at].family == AF_INET6)
        connection_doubt_v6(connection);
    else
        host_memory_note_dead(&connection->shard->hosts, connection_host(connection),
                              shard_now_ms(connection->shard));
    EVENT(EVENT_HOST_DEAD, field_text("site", connection->site->name),
          field_text("mx", connection->mx), field_text("reason", detail));
    connection->address_at++;
    connection_try_another(connection);
}

void connection_on_end(void *owner, enum stream_end why, const char *detail)
{
    struct connection *connection = owner;

    if (why == STREAM_CONNECT_FAILED || !connection->has_client)
        fail_connect(connection, detail);
    else if (connection->is_starting_tls)
        connection_fail_tls(connection, detail);
    else
        lose(connection, "Connection lost");
}

static int64_t patience_ms(const struct connection *connection)
{
    if (connection->client.phase == SMTP_PHASE_DOT && connection->policy.dot_timeout_ms)
        return connection->policy.dot_timeout_ms;
    return smtp_phase_timeout_ms(connection->client.phase);
}

enum { SILENT_AFTER = 10 }; /* a tenth */

void connection_hears(struct connection *connection)
{
    connection->more_ms = 0;
    if (connection->is_silent)
        lane_speaks_again(connection->lane);
    connection->is_silent = false;
}

void connection_await(struct connection *connection, int64_t patience_ms)
{
    int64_t first_ms = patience_ms / SILENT_AFTER;

    connection_hears(connection);
    connection->more_ms = connection->counts_as_busy ? patience_ms - first_ms : 0;
    timer_set(&connection->timer, connection->more_ms ? first_ms : patience_ms);
}

static void fall_silent(struct connection *connection)
{
    timer_set(&connection->timer, connection->more_ms);
    connection->more_ms = 0;
    connection->is_silent = true;
    lane_falls_silent(connection->lane);
    delivery_shard_touch(connection->shard);
}

/* A reply came, or some of the body went.  A reply that drips in octet by octet is no progress. */
void connection_note_progress(struct connection *connection)
{
    if (connection->is_broken)
        return;
    if (connection->state == CONNECTION_OPENING || connection->state == CONNECTION_BUSY)
        connection_await(connection, patience_ms(connection));
}

void connection_on_timer(struct timer *timer)
{
    struct connection *connection = CONTAINER_OF(timer, struct connection, timer);

    if (connection->more_ms && !connection->is_broken)
        fall_silent(connection);
    else if (!connection->has_client)
        fail_connect(connection, "timed out");
    else if (connection->is_starting_tls)
        connection_fail_tls(connection, "timed out");
    else if (connection->state == CONNECTION_CLOSING)
        connection_close_soon(connection);
    else if (!list_is_empty(&connection->idle_link))
        connection_quit(connection);
    else
        lose(connection, "Timed out");
}
