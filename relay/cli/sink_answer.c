#include "relay/cli/sink_answer.h"

#include <string.h>

static void append_reply(struct buffer *out, const char *reply)
{
    for (const char *line = reply; *line;) {
        size_t len = strcspn(line, "\n");

        buffer_append(out, slice_from(line, len));
        buffer_append_text(out, "\r\n");
        line += len + (line[len] == '\n');
    }
}

static struct sink_event event_of(const struct sink_session *session, enum sink_phase phase,
                                  struct slice subject, const char *recipient)
{
    if (!recipient)
        recipient = session->n_recipients ? session->recipients[0].address : "";
    return (struct sink_event){
        .phase = phase,
        .subject = subject,
        .peer = session->place.peer,
        .listener = session->place.listener,
        .sender = session->sender.address ? session->sender.address : "",
        .recipient = recipient,
        .n_recipients = (unsigned)session->n_recipients,
        .n_open = session->place.n_open,
        .n_open_of_peer = session->place.n_open_of_peer,
        .n_open_at_listener = session->place.n_open_at_listener,
        .now_ms = session->now_ms,
    };
}

struct sink_outcome sink_decide(struct sink_session *session, enum sink_phase phase,
                                struct slice subject, const char *recipient, const char *usual)
{
    const struct sink_event event = event_of(session, phase, subject, recipient);
    struct sink_outcome outcome = {.verdict = sink_script_decide(session->script, &event)};
    bool is_dropped = outcome.verdict.ending == SINK_DROP;

    outcome.reply = outcome.verdict.reply ? outcome.verdict.reply : usual;
    outcome.is_positive = !is_dropped && (outcome.reply[0] == '2' || outcome.reply[0] == '3');
    session->n_refused += !outcome.is_positive;
    sink_trace_note(session->trace, sink_phase_name(phase), session->place.connection, &event,
                    is_dropped ? 0 : atoi(outcome.reply)); /* NOLINT(cert-err34-c): digits lead */
    return outcome;
}

/* One octet, when it drips, or all that is held. */
static enum sink_step say(struct sink_session *session)
{
    struct slice held = buffer_slice(&session->held);
    size_t n = session->drip_ms > 0 && held.len > 0 ? 1 : held.len;

    buffer_append(&session->output, slice_head(held, n));
    buffer_consume(&session->held, n);
    session->wait_ms = session->drip_ms;
    return session->held.len > 0 ? SINK_STEP_WAIT : session->after_wait;
}

enum sink_step sink_answer(struct sink_session *session, struct sink_outcome outcome,
                           enum sink_step step)
{
    if (outcome.verdict.ending == SINK_DROP)
        step = SINK_STEP_DROP;
    else if (strncmp(outcome.reply, "421", 3) == 0)
        step = SINK_STEP_CLOSE;
    buffer_clear(&session->held);
    if (outcome.verdict.ending != SINK_DROP)
        append_reply(&session->held, outcome.reply);
    session->after_wait = step;
    session->loses_message = outcome.verdict.ending == SINK_LOSE;
    session->drip_ms = outcome.verdict.drip_ms;
    session->wait_ms = outcome.verdict.delay_ms;
    return session->wait_ms > 0 ? SINK_STEP_WAIT : sink_session_waited(session);
}

enum sink_step sink_session_waited(struct sink_session *session)
{
    /* The reply to a message is said by sink_session_kept(). */
    return session->after_wait == SINK_STEP_MESSAGE ? SINK_STEP_MESSAGE : say(session);
}

enum sink_step sink_answer_kept(struct sink_session *session)
{
    session->after_wait = SINK_STEP_MORE;
    return session->loses_message ? SINK_STEP_DROP : say(session);
}

enum sink_step sink_refuse(struct sink_session *session, const char *reply)
{
    session->n_refused++;
    append_reply(&session->output, reply);
    return SINK_STEP_MORE;
}
