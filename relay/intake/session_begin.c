/* How a session begins: a ticket of the policy thread, the user of its network, TLS, the greeting.
 */
#include "relay/intake/session.h"

#include <stdlib.h>

#include "relay/base/event.h"

static void refuse(struct session *session, const char *why)
{
    if (intake_shard_may_tell(session->shard, EVENT_SESSION_REFUSED, session->peer))
        EVENT(EVENT_SESSION_REFUSED, field_text("ip", session->peer_text),
              field_text("reason", why));
    if (session->listener->tls == INTAKE_TLS_IMPLICIT) {
        session_end(session); /* a 421 in clear would only confuse a TLS client */
        return;
    }
    smtp_server_refuse(&session->smtp,
                       SMTP_REPLY(421, 4, 7, 0, "Too many connections, try again later"));
    session_resume(session);
}

static void start(struct session *session)
{
    if (session->listener->tls != INTAKE_TLS_IMPLICIT) {
        session_greet(session);
        return;
    }
    session->wait = SESSION_WAITS_TLS;
    session_set_deadline(session);
    stream_resume(session->stream);
    if (stream_start_tls_server(session->stream, session->config->tls) < 0)
        session_end(session);
}

static bool is_answered(struct session *session)
{
    session->n_pending--;
    if (session->stream)
        return true;
    session_resume(session); /* it left before the answer: this frees it */
    return false;
}

static void on_user_counted(struct session_request *request)
{
    struct session *session = CONTAINER_OF(request, struct session, ticket);

    if (!is_answered(session))
        return;
    if (request->verdict == SESSION_OK)
        start(session);
    else
        refuse(session, session_verdict_text(request->verdict));
}

/* A network belongs to a user, so rules and counters hold for it the same way. */
static void on_opened(struct session_request *request)
{
    struct session *session = CONTAINER_OF(request, struct session, ticket);
    const struct directory *directory = session->shard->directory;
    const struct user *user;

    if (!is_answered(session))
        return;
    if (request->verdict != SESSION_OK) {
        refuse(session, session_verdict_text(request->verdict));
        return;
    }
    user = directory && !session->listener->bounces_only
               ? directory_user_of_network(directory, session->peer)
               : NULL;
    if (!user || !user->is_enabled) {
        start(session);
        return;
    }
    session->user_id = user->id;
    session->smtp.settings.needs_auth = false;
    session_count_user(session, on_user_counted);
}

void session_count_user(struct session *session, void (*then)(struct session_request *))
{
    const struct user *user = session_user(session);

    session->is_user_counted = true;
    session->ticket.done = then;
    session->ticket.user_id = session->user_id;
    session->ticket.max_sessions = user ? (uint32_t)user->limits[USER_LIMIT_SESSIONS] : 0;
    session->n_pending++;
    if (session_use(session->shard->parts->policy, &session->ticket))
        return;
    session->ticket.verdict = SESSION_TOO_MANY; /* the policy thread is that far behind */
    then(&session->ticket);
}

static struct smtp_server_settings smtp_settings(const struct session *session)
{
    const struct intake_settings *settings = &session->config->settings;
    const struct intake_listener *listener = session->listener;

    return (struct smtp_server_settings){
        .hostname = slice_of(settings->hostname),
        .size_limit = settings->message_size,
        .max_recipients = settings->max_recipients,
        .offers_starttls = listener->tls == INTAKE_TLS_STARTTLS,
        .is_tls = listener->tls == INTAKE_TLS_IMPLICIT,
        .needs_auth = !listener->bounces_only,
        .plain_auth = listener->plain_auth,
        .repair_newlines = listener->repair_newlines,
        .bounces_only = listener->bounces_only,
    };
}

void session_begin(struct intake_shard *shard, struct intake_config *config,
                   const struct intake_listener *listener, int fd,
                   const struct socket_address *peer)
{
    struct session *session = calloc(1, sizeof(*session));
    struct smtp_server_settings settings;

    if (!session) {
        close(fd);
        return;
    }
    session->shard = shard;
    session->config = intake_config_ref(config);
    session->listener = listener;
    session->wait = SESSION_WAITS_TICKET;
    session->peer = socket_address_ip(peer);
    ip_print(session->peer, session->peer_text);
    list_append(&shard->sessions, &session->links);
    session_patience_init(session);
    settings = smtp_settings(session);
    smtp_server_init(&session->smtp, &settings);
    if (stream_new(&session->stream, shard->loop, fd, &session_handlers, session) < 0) {
        session_end(session);
        return;
    }
    /* A ClientHello that is read before TLS starts would be thrown away as plain text. */
    if (listener->tls == INTAKE_TLS_IMPLICIT)
        stream_pause(session->stream);
    stream_set_quickack(session->stream, true);
    EVENT(EVENT_CONNECTED, field_text("ip", session->peer_text),
          field_text("listener", listener->name));
    session->ticket = (struct session_request){
        .answer_to = loop_mailbox(shard->loop), .done = on_opened, .peer = session->peer};
    session->n_pending++;
    if (!session_open(shard->parts->policy, &session->ticket)) {
        session->n_pending--;
        refuse(session, "policy is behind");
    }
}
