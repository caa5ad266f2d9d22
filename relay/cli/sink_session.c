#include "relay/cli/sink_answer.h"

#include <stdio.h>
#include <string.h>

static const char line_end[] = "\r\n";

void sink_session_init(struct sink_session *session, struct sink_script *script, bool offers_tls)
{
    *session = (struct sink_session){.script = script, .offers_tls = offers_tls};
    buffer_init(&session->body, SINK_MESSAGE_BYTES + 65536);
}

static void end_transaction(struct sink_session *session)
{
    sink_path_fini(&session->sender);
    for (size_t i = 0; i < session->n_recipients; i++)
        sink_path_fini(&session->recipients[i]);
    free(session->recipients);
    session->recipients = NULL;
    session->n_recipients = 0;
    session->has_sender = session->is_body = session->is_body_begun = false;
    if (session->body.capacity > 1 << 20)
        buffer_fini(&session->body); /* one large message must not keep its memory */
    buffer_clear(&session->body);
}

void sink_session_fini(struct sink_session *session)
{
    end_transaction(session);
    free(session->helo);
    buffer_fini(&session->body);
    buffer_fini(&session->output);
    buffer_fini(&session->held);
}

/* ---- commands ---- */

static enum sink_step on_ehlo(struct sink_session *session, struct slice args)
{
    static const char usual[] = "250-sink\n250-PIPELINING\n250-SIZE 200000000\n%s250-8BITMIME\n"
                                "250-ENHANCEDSTATUSCODES\n250-DSN\n250 SMTPUTF8";
    char text[sizeof(usual) + 16];
    struct sink_outcome outcome;

    snprintf(text, sizeof(text), usual,
             session->offers_tls && !session->is_secured ? "250-STARTTLS\n" : "");
    outcome = sink_decide(session, SINK_EHLO, args, NULL, text);
    if (outcome.is_positive) {
        end_transaction(session);
        free(session->helo);
        session->helo = slice_to_string(args);
    }
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static enum sink_step on_helo(struct sink_session *session, struct slice args)
{
    struct sink_outcome outcome = sink_decide(session, SINK_EHLO, args, NULL, "250 sink");

    if (outcome.is_positive) {
        end_transaction(session);
        free(session->helo);
        session->helo = slice_to_string(args);
    }
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static enum sink_step on_starttls(struct sink_session *session, struct slice args)
{
    struct sink_outcome outcome;

    if (!session->offers_tls || session->is_secured)
        return sink_refuse(session, "502 5.5.1 Not offered");
    outcome = sink_decide(session, SINK_STARTTLS, args, NULL, "220 2.0.0 Go ahead");
    return sink_answer(session, outcome,
                       outcome.is_positive ? SINK_STEP_START_TLS : SINK_STEP_MORE);
}

static enum sink_step on_mail(struct sink_session *session, struct slice args)
{
    struct sink_outcome outcome;

    if (!session->helo || session->has_sender)
        return sink_refuse(session, "503 5.5.1 Bad sequence of commands");
    if (!sink_path_parse(args, "FROM:", &session->sender)) {
        sink_path_fini(&session->sender);
        return sink_refuse(session, "501 5.5.4 Syntax: MAIL FROM:<address>");
    }
    outcome = sink_decide(session, SINK_MAIL, args, NULL, "250 2.1.0 Ok");
    session->has_sender = outcome.is_positive;
    if (!outcome.is_positive)
        sink_path_fini(&session->sender);
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static bool append_recipient(struct sink_session *session, struct sink_path path)
{
    size_t n = session->n_recipients;
    struct sink_path *recipients = session->recipients;

    if ((n & (n - 1)) == 0) { /* full at every power of two */
        recipients = reallocarray(recipients, n ? 2 * n : 1, sizeof(*recipients));
        if (!recipients)
            return false;
        session->recipients = recipients;
    }
    recipients[session->n_recipients++] = path;
    return true;
}

static enum sink_step on_rcpt(struct sink_session *session, struct slice args)
{
    struct sink_path path = {0};
    struct sink_outcome outcome;

    if (!session->has_sender)
        return sink_refuse(session, "503 5.5.1 Bad sequence of commands");
    if (session->n_recipients == SINK_MAX_RECIPIENTS)
        return sink_refuse(session, "452 4.5.3 Too many recipients");
    if (!sink_path_parse(args, "TO:", &path)) {
        sink_path_fini(&path);
        return sink_refuse(session, "501 5.5.4 Syntax: RCPT TO:<address>");
    }
    outcome = sink_decide(session, SINK_RCPT, args, path.address, "250 2.1.5 Ok");
    if (!outcome.is_positive || !append_recipient(session, path))
        sink_path_fini(&path);
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static enum sink_step on_data(struct sink_session *session, struct slice args)
{
    struct sink_outcome outcome;

    if (session->n_recipients == 0)
        return sink_refuse(session, "503 5.5.1 No valid recipients");
    outcome = sink_decide(session, SINK_DATA, args, NULL, "354 End data with <CR><LF>.<CR><LF>");
    session->is_body = outcome.is_positive;
    if (session->is_body)
        buffer_append_text(&session->body, line_end);
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static enum sink_step on_rset(struct sink_session *session, struct slice args)
{
    end_transaction(session);
    return sink_answer(session, sink_decide(session, SINK_RSET, args, NULL, "250 2.0.0 Ok"),
                       SINK_STEP_MORE);
}

static enum sink_step on_noop(struct sink_session *session, struct slice args)
{
    return sink_answer(session, sink_decide(session, SINK_NOOP, args, NULL, "250 2.0.0 Ok"),
                       SINK_STEP_MORE);
}

static enum sink_step on_quit(struct sink_session *session, struct slice args)
{
    return sink_answer(session, sink_decide(session, SINK_QUIT, args, NULL, "221 2.0.0 Bye"),
                       SINK_STEP_CLOSE);
}

static const struct verb {
    struct slice name;
    enum sink_step (*run)(struct sink_session *session, struct slice args);
} verbs[] = {
    {SLICE_LITERAL("EHLO"),     on_ehlo    },
    {SLICE_LITERAL("HELO"),     on_helo    },
    {SLICE_LITERAL("STARTTLS"), on_starttls},
    {SLICE_LITERAL("MAIL"),     on_mail    },
    {SLICE_LITERAL("RCPT"),     on_rcpt    },
    {SLICE_LITERAL("DATA"),     on_data    },
    {SLICE_LITERAL("RSET"),     on_rset    },
    {SLICE_LITERAL("NOOP"),     on_noop    },
    {SLICE_LITERAL("QUIT"),     on_quit    },
};

static enum sink_step run_command(struct sink_session *session, struct slice line)
{
    ptrdiff_t blank = slice_find(line, ' ');
    struct slice word = slice_head(line, blank < 0 ? line.len : (size_t)blank);
    struct slice args = slice_trim(slice_skip(line, word.len));

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (slice_equal_ignoring_case(word, verbs[i].name))
            return verbs[i].run(session, args);
    }
    return sink_refuse(session, "500 5.5.2 Unknown command");
}

/* One command line, CRLF at its end; a bare LF ends nothing and is refused with its line. */
static enum sink_step feed_command(struct sink_session *session, struct slice *input,
                                   bool *is_partial)
{
    ptrdiff_t end = slice_search(*input, slice_of(line_end));
    struct slice line;

    *is_partial = end < 0;
    if (end < 0 && input->len <= SINK_LINE_BYTES)
        return SINK_STEP_MORE;
    if (end < 0) {
        sink_refuse(session, "500 5.5.2 Line too long");
        return SINK_STEP_CLOSE;
    }
    line = slice_head(*input, (size_t)end);
    *input = slice_skip(*input, (size_t)end + 2);
    if (slice_find(line, '\n') >= 0 || slice_find(line, '\0') >= 0)
        return sink_refuse(session, "500 5.5.2 Control character in a command");
    return run_command(session, line);
}

/* ---- the message ---- */

/* Every CRLF dot loses its dot; RFC 5321 4.5.2. */
static void unstuff(struct buffer *body)
{
    char *to = body->data, *from = body->data, *end = body->data + body->len;

    while (from < end) {
        char *dot = memmem(from, (size_t)(end - from), "\r\n.", 3);
        size_t len = (size_t)((dot ? dot + 2 : end) - from);

        memmove(to, from, len);
        to += len;
        from += len + (dot != NULL);
    }
    body->len = (size_t)(to - body->data);
}

static enum sink_step end_message(struct sink_session *session)
{
    struct sink_outcome outcome;

    unstuff(&session->body);
    session->is_body = false;
    outcome = sink_decide(session, SINK_DOT, sink_session_message(session), NULL,
                          "250 2.0.0 Ok: taken by sink");
    if (outcome.is_positive)
        return sink_answer(session, outcome, SINK_STEP_MESSAGE);
    end_transaction(session);
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

/* Before the first octet of a message is read. */
static enum sink_step begin_body(struct sink_session *session)
{
    const struct slice none = {0};
    struct sink_outcome outcome = sink_decide(session, SINK_BODY, none, NULL, "354 ");

    session->is_body_begun = true;
    outcome.reply = "";
    return sink_answer(session, outcome, SINK_STEP_MORE);
}

static enum sink_step feed_body(struct sink_session *session, struct slice *input)
{
    static const struct slice terminator = SLICE_LITERAL("\r\n.\r\n");
    struct buffer *body = &session->body;
    size_t seen = body->len, from = seen > terminator.len ? seen - terminator.len : 0;
    ptrdiff_t at;
    size_t end;

    buffer_append(body, *input);
    if (body->failed)
        return SINK_STEP_DROP; /* above SINK_MESSAGE_BYTES, told in EHLO */
    at = slice_search(slice_skip(buffer_slice(body), from), terminator);
    if (at < 0) {
        *input = slice_skip(*input, input->len);
        return SINK_STEP_MORE;
    }
    end = from + (size_t)at + terminator.len;
    *input = slice_skip(*input, end - seen);
    body->len = end - 3; /* the CRLF before the dot is the message's own */
    return end_message(session);
}

struct slice sink_session_message(const struct sink_session *session)
{
    return slice_skip(buffer_slice(&session->body), 2);
}

enum sink_step sink_session_kept(struct sink_session *session, bool is_kept)
{
    end_transaction(session);
    if (!is_kept)
        return sink_refuse(session, "452 4.3.1 Cannot be stored");
    return sink_answer_kept(session);
}

/* ---- the connection ---- */

enum sink_step sink_session_greet(struct sink_session *session)
{
    struct slice none = {0};
    struct sink_outcome outcome = sink_decide(session, SINK_CONNECT, none, NULL, "220 sink ESMTP");

    return sink_answer(session, outcome, outcome.is_positive ? SINK_STEP_MORE : SINK_STEP_CLOSE);
}

enum sink_step sink_session_feed(struct sink_session *session, struct slice *input)
{
    enum sink_step step = SINK_STEP_MORE;
    bool is_partial = false;

    while (step == SINK_STEP_MORE && input->len > 0 && !is_partial) {
        if (session->is_body && !session->is_body_begun)
            step = begin_body(session);
        else if (session->is_body)
            step = feed_body(session, input);
        else
            step = feed_command(session, input, &is_partial);
    }
    return step;
}

void sink_session_secured(struct sink_session *session)
{
    end_transaction(session);
    free(session->helo);
    session->helo = NULL;
    session->is_secured = true;
}
