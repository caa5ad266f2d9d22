#include "relay/intake/session.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/event.h"

/* ---- an end, which waits for what is under way ---- */

static void release(struct session *session)
{
    struct intake_shard *shard = session->shard;

    if (session->is_advancing || session->n_pending > 0 || !collector_drop(&session->collector))
        return;
    session_ticket_return(session->ticket.ticket);
    list_remove(&session->links);
    smtp_server_fini(&session->smtp);
    buffer_fini(&session->sentence);
    buffer_fini(&session->hold_reason);
    free(session->recipients);
    free(session->seen);
    intake_config_unref(session->config);
    free(session);
    intake_shard_session_ended(shard);
}

void session_end(struct session *session)
{
    session->wait = SESSION_CLOSES;
    session_patience_fini(session);
    session_quota_fini(session);
    session->stream = stream_free(session->stream);
    release(session);
}

void session_abandon(struct session *session)
{
    session->n_pending = 0;
    session->quota_state = SESSION_QUOTA_NONE; /* nobody counts any more */
    session->collector.is_writing = false;
    session->collector.large = NULL; /* the spool clears away what nobody finished */
    session_end(session);
}

const struct user *session_user(const struct session *session)
{
    const struct directory *directory = session->shard->directory;
    const struct user *user =
        directory && session->user_id ? directory_user_by_id(directory, session->user_id) : NULL;

    return user && user->is_enabled ? user : NULL;
}

/* A command or a message that a rule turned away. */
static void tell_refusal(const struct session *session, struct smtp_reply reply)
{
    const struct user *user = session_user(session);
    CLEANUP(buffer) struct buffer line = BUFFER_INIT;

    if (!intake_shard_may_tell(session->shard, EVENT_REFUSED, session->peer))
        return;
    smtp_reply_print_line(&line, reply);
    EVENT(EVENT_REFUSED, field_text("ip", session->peer_text),
          field_slice("user", user ? user->name : (struct slice){0}),
          field_slice("sender", session->smtp.mail.sender.whole),
          field_slice("reply", buffer_slice(&line)));
}

/* ---- the steps of the SMTP server: each says whether the session goes on ---- */

/* False: the peer must take what was written before. */
static bool write_output(struct session *session)
{
    struct buffer *output = smtp_server_output(&session->smtp);

    if (stream_write(session->stream, buffer_slice(output)) < 0) {
        session->wait = SESSION_WAITS_PEER;
        return false;
    }
    buffer_clear(output);
    return true;
}

static void step_more(struct session *session)
{
    if (session_must_be_slow(session) || !write_output(session))
        return;
    if (session->is_peer_done) {
        session->wait = SESSION_CLOSES;
        stream_close_when_written(session->stream);
        return;
    }
    if (session->is_told_to_stop && smtp_server_is_idle(&session->smtp)) {
        smtp_server_shutdown(&session->smtp); /* the next step is CLOSE */
        return;
    }
    session->wait = SESSION_WAITS_INPUT;
    session_set_deadline(session);
}

static void step_flush(struct session *session)
{
    if (write_output(session) && stream_pending_output(session->stream))
        session->wait = SESSION_WAITS_PEER;
}

static void step_start_tls(struct session *session)
{
    session->wait = SESSION_WAITS_TLS;
    session_set_deadline(session);
    if (stream_write(session->stream, buffer_slice(smtp_server_output(&session->smtp))) < 0 ||
        stream_start_tls_server(session->stream, session->config->tls) < 0)
        session_end(session);
    else
        buffer_clear(smtp_server_output(&session->smtp));
}

static void decide(struct session *session, struct smtp_reply reply)
{
    if (reply.code >= 400)
        tell_refusal(session, reply);
    smtp_server_decide(&session->smtp, reply);
}

static void step_sender(struct session *session)
{
    decide(session, session_judge_sender(session));
}

static void step_recipient(struct session *session)
{
    decide(session, session_judge_recipient(session));
}

/* The answer about a message that did not come is awaited first: its place is needed. */
static void step_body_begins(struct session *session)
{
    if (session->quota_state == SESSION_QUOTA_UNWANTED)
        session->wait = SESSION_WAITS_QUOTA;
    else
        decide(session, session_begin_body(session));
}

void session_quota_came(struct session *session)
{
    if (session->quota_state == SESSION_QUOTA_NONE)
        session_decide(session, session_begin_body(session));
    else
        session_end_message(session);
}

static void step_close(struct session *session)
{
    struct buffer *output = smtp_server_output(&session->smtp);

    session->wait = SESSION_CLOSES;
    session_patience_fini(session);
    if (stream_write(session->stream, buffer_slice(output)) < 0) {
        session_end(session); /* a peer that reads nothing gets no farewell */
        return;
    }
    buffer_clear(output);
    stream_close_when_written(session->stream);
}

static void (*const on_step[])(struct session *) = {
    [SMTP_STEP_MORE] = step_more,
    [SMTP_STEP_FLUSH] = step_flush,
    [SMTP_STEP_START_TLS] = step_start_tls,
    [SMTP_STEP_AUTHENTICATE] = session_login,
    [SMTP_STEP_SENDER] = step_sender,
    [SMTP_STEP_RECIPIENT] = step_recipient,
    [SMTP_STEP_BODY_BEGINS] = step_body_begins,
    [SMTP_STEP_BODY] = session_take_body,
    [SMTP_STEP_MESSAGE_ENDS] = session_end_message,
    [SMTP_STEP_TRANSACTION_ENDS] = session_drop_transaction,
    [SMTP_STEP_CLOSE] = step_close,
};

static void feed(struct session *session)
{
    struct slice input = stream_input(session->stream);
    size_t before = input.len;
    enum smtp_step step = smtp_server_feed(&session->smtp, &input);

    if (step != SMTP_STEP_MORE || smtp_server_output(&session->smtp)->len ||
        (session->smtp.is_reading_body && input.len < before))
        session->made_progress = true;
    if (step == SMTP_STEP_BODY)
        session_take_body(session); /* the chunk looks into the input, which stays until here */
    stream_consume(session->stream, before - input.len);
    if (step != SMTP_STEP_BODY)
        on_step[step](session);
}

/* The whole life of a session: bytes in, steps out, until one of them means waiting. */
static void advance(struct session *session)
{
    session->is_advancing = true;
    while (session->wait == SESSION_RUNS && session->stream)
        feed(session);
    session->is_advancing = false;
    if (!session->stream)
        release(session);
    else if (session->wait != SESSION_WAITS_INPUT && session->wait != SESSION_CLOSES)
        stream_pause(session->stream);
}

void session_resume(struct session *session)
{
    if (!session->stream) {
        release(session);
        return;
    }
    session->wait = SESSION_RUNS;
    if (session->is_advancing)
        return; /* the loop above us goes on */
    stream_resume(session->stream);
    advance(session);
}

void session_decide(struct session *session, struct smtp_reply reply)
{
    if (session->stream)
        decide(session, reply);
    session_resume(session);
}

/* ---- the stream's handlers ---- */

static void on_input(void *owner)
{
    struct session *session = owner;

    if (session->wait == SESSION_WAITS_INPUT)
        session_resume(session);
}

static void on_drained(void *owner)
{
    struct session *session = owner;

    if (session->wait != SESSION_WAITS_PEER)
        return;
    if (write_output(session))
        session_resume(session);
}

void session_greet(struct session *session)
{
    session->wait = SESSION_RUNS;
    smtp_server_greet(&session->smtp);
    session->made_progress = true;
    advance(session);
}

static void on_secured(void *owner)
{
    struct session *session = owner;

    if (session->listener->tls == INTAKE_TLS_IMPLICIT) {
        session_greet(session);
        return;
    }
    smtp_server_tls_started(&session->smtp);
    session_resume(session);
}

static void on_end(void *owner, enum stream_end why, const char *detail)
{
    struct session *session = owner;

    if (why == STREAM_TLS_FAILED &&
        intake_shard_may_tell(session->shard, EVENT_TLS_FAILED, session->peer))
        EVENT(EVENT_TLS_FAILED, field_text("ip", session->peer_text),
              field_text("listener", session->listener->name), field_text("reason", detail));
    if (why == STREAM_PEER_CLOSED && session->wait != SESSION_WAITS_INPUT) {
        session->is_peer_done = true; /* a half-closed connection still gets its answers */
        return;
    }
    session_end(session);
}

const struct stream_handlers session_handlers = {
    .on_input = on_input,
    .on_drained = on_drained,
    .on_secured = on_secured,
    .on_end = on_end,
};

void session_shut_down(struct session *session, bool is_overdue)
{
    session->is_told_to_stop = true;
    if (!session->stream || session->wait == SESSION_CLOSES)
        return;
    if (is_overdue && session->wait != SESSION_WAITS_INPUT) {
        session_end(session);
        return;
    }
    if (session->wait != SESSION_WAITS_INPUT ||
        (!is_overdue && !smtp_server_is_idle(&session->smtp)))
        return; /* step_more() sees to it when the transaction has ended */
    smtp_server_shutdown(&session->smtp);
    session_resume(session);
}
