/* AUTH (RFC 4954): the password goes to the policy thread; what comes back is said the same way
 * whatever was wrong (threats: enumeration). */
#include "relay/intake/session.h"

#include "relay/base/event.h"

static void tell_login(const struct session *session, enum event_kind kind, const char *reason)
{
    if (kind != EVENT_LOGIN && !intake_shard_may_tell(session->shard, kind, session->peer))
        return;
    EVENT(kind, field_text("ip", session->peer_text), field_slice("user", session->smtp.login.user),
          field_text("reason", reason));
}

static void accept_login(struct session *session)
{
    session_decide(session, SMTP_REPLY(235, 2, 7, 0, "Authentication successful"));
}

static void on_counted(struct session_request *request)
{
    struct session *session = CONTAINER_OF(request, struct session, ticket);

    session->n_pending--;
    if (request->verdict == SESSION_OK) {
        accept_login(session);
        return;
    }
    tell_login(session, EVENT_SESSION_REFUSED, session_verdict_text(request->verdict));
    session_decide(session, SMTP_REPLY(421, 4, 7, 0, "Too many connections of this user"));
}

static void log_in(struct session *session)
{
    session->user_id = session->login.user_id;
    tell_login(session, EVENT_LOGIN, NULL);
    if (session->is_user_counted)
        accept_login(session);
    else
        session_count_user(session, on_counted);
}

static void refuse_for_now(struct session *session, int64_t retry_ms)
{
    buffer_clear(&session->sentence);
    buffer_printf(&session->sentence, "Too many attempts, try again in %lld s",
                  (long long)(retry_ms + 999) / 1000);
    session_decide(session,
                   smtp_reply_with(454, SMTP_STATUS(4, 7, 0), buffer_slice(&session->sentence)));
}

static void on_login(struct login_request *request)
{
    struct session *session = CONTAINER_OF(request, struct session, login);

    session->n_pending--;
    if (request->verdict != LOGIN_OK)
        tell_login(session, EVENT_LOGIN_FAILED, request->reason);
    if (!session->stream) {
        session_resume(session); /* it left before the answer */
        return;
    }
    switch (request->verdict) {
    case LOGIN_OK:
        log_in(session);
        break;
    case LOGIN_WRONG:
        session_decide(session, SMTP_REPLY(535, 5, 7, 8, "Wrong user name or password"));
        break;
    case LOGIN_THROTTLED:
        refuse_for_now(session, request->retry_ms);
        break;
    case LOGIN_BUSY:
        session_decide(session, SMTP_REPLY(454, 4, 7, 0, "Too busy, try again"));
        break;
    }
}

void session_login(struct session *session)
{
    session->wait = SESSION_WAITS_LOGIN;
    session->login = (struct login_request){
        .answer_to = loop_mailbox(session->shard->loop),
        .done = on_login,
        .user = session->smtp.login.user,
        .password = session->smtp.login.password,
        .peer = session->peer,
    };
    session->n_pending++;
    if (login_ask(session->shard->parts->policy, &session->login))
        return;
    session->n_pending--;
    session->wait = SESSION_RUNS;
    smtp_server_decide(&session->smtp, SMTP_REPLY(454, 4, 7, 0, "Too busy, try again"));
}
