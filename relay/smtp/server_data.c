#include "relay/smtp/server_internal.h"

/* A chunk above this is not worth reading to its end. */
#define CHUNK_MAX_OCTETS ((uint64_t)INT32_MAX)

static const struct smtp_reply too_big = SMTP_REPLY(552, 5, 3, 4, "Message too big");

static struct smtp_reply verdict_reply(enum body_verdict verdict)
{
    static const struct smtp_reply replies[BODY_N_VERDICTS] = {
        [BODY_BARE_NEWLINE] =
            SMTP_REPLY(550, 5, 6, 0, "Lines must end with CR LF; bare CR or LF found"),
        [BODY_HAS_NUL] = SMTP_REPLY(550, 5, 6, 0, "NUL found in the message"),
        [BODY_LINE_TOO_LONG] = SMTP_REPLY(550, 5, 6, 0, "Line above 65536 octets found"),
        [BODY_TOO_BIG] = SMTP_REPLY(552, 5, 3, 4, "Message too big"),
        [BODY_ENDLESS] = SMTP_REPLY(552, 5, 3, 4, "Message too big, closing"),
    };

    return replies[verdict];
}

static void begin_body(struct smtp_server *server, bool is_chunked)
{
    const struct smtp_server_settings *settings = &server->settings;

    body_reader_init(&server->body, settings->size_limit, is_chunked, settings->repair_newlines);
    server->body_verdict = BODY_CLEAN;
}

static struct smtp_reply no_recipients_reply(const struct smtp_server *server)
{
    return server->has_tried_recipients ? SMTP_REPLY(554, 5, 5, 1, "No valid recipients")
                                        : SMTP_REPLY(503, 5, 5, 1, "Send RCPT first");
}

enum smtp_step smtp_on_data(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    if (server->state != SMTP_HAS_RECIPIENT)
        return smtp_answer_error(server, no_recipients_reply(server));
    begin_body(server, false);
    return smtp_ask(server, SMTP_STEP_BODY_BEGINS);
}

/* The refused body has been read to its end, or is not read at all. */
static enum smtp_step refuse_body(struct smtp_server *server, enum server_mode next_mode)
{
    enum body_verdict verdict = server->body.verdict;

    server->body_verdict = verdict;
    server->mode = next_mode;
    if (verdict == BODY_ENDLESS)
        (void)smtp_close_with(server, verdict_reply(verdict));
    else
        (void)smtp_answer(server, verdict_reply(verdict));
    return smtp_end_transaction(server);
}

enum smtp_step smtp_read_data(struct smtp_server *server, struct slice *input)
{
    switch (body_reader_feed(&server->body, input, &server->chunk)) {
    case BODY_CHUNK:
        return SMTP_STEP_BODY;
    case BODY_MORE:
        return SMTP_STEP_MORE;
    case BODY_END:
        break;
    }
    if (server->body.verdict != BODY_CLEAN)
        return refuse_body(server, MODE_COMMANDS);
    server->mode = MODE_MESSAGE_ENDS;
    return STEP_NONE;
}

/* What follows until LAST belongs to a message that is lost: it is read away, chunk by chunk. */
static void await_last_chunk(struct smtp_server *server)
{
    if (!server->is_last_chunk)
        server->state = SMTP_CHUNKS_FAILED;
}

static enum smtp_step chunk_ends(struct smtp_server *server)
{
    server->mode = MODE_COMMANDS;
    server->is_reading_body = false;
    if (server->is_last_chunk && server->body.verdict == BODY_CLEAN) {
        server->mode = MODE_MESSAGE_ENDS;
        body_reader_finish(&server->body, &server->chunk);
    }
    if (server->body.verdict != BODY_CLEAN) {
        enum smtp_step step = refuse_body(server, MODE_COMMANDS);

        await_last_chunk(server);
        return step;
    }
    if (server->is_last_chunk)
        return server->chunk.len ? SMTP_STEP_BODY : STEP_NONE;
    buffer_printf(&server->output, "250 2.0.0 %llu octets so far\r\n",
                  (unsigned long long)server->body.n_wire);
    return STEP_NONE;
}

enum smtp_step smtp_read_chunk(struct smtp_server *server, struct slice *input)
{
    struct slice part = *input;
    size_t taken;
    enum body_step step;

    if (part.len > server->chunk_left)
        part.len = (size_t)server->chunk_left;
    taken = part.len;
    step = body_reader_feed(&server->body, &part, &server->chunk);
    taken -= part.len;
    *input = slice_skip(*input, taken);
    server->chunk_left -= taken;
    if (step == BODY_CHUNK)
        return SMTP_STEP_BODY;
    return server->chunk_left ? SMTP_STEP_MORE : chunk_ends(server);
}

enum smtp_step smtp_swallow_chunk(struct smtp_server *server, struct slice *input)
{
    size_t taken = input->len < server->chunk_left ? input->len : (size_t)server->chunk_left;

    *input = slice_skip(*input, taken);
    server->chunk_left -= taken;
    if (server->chunk_left)
        return SMTP_STEP_MORE;
    server->is_reading_body = false;
    server->mode = MODE_COMMANDS;
    return STEP_NONE;
}

static void swallow(struct smtp_server *server)
{
    server->mode = MODE_SWALLOW;
    server->is_reading_body = true;
}

/* Refuses a chunk whose octets still come, and the transaction with it. */
static enum smtp_step fail_chunk(struct smtp_server *server, struct smtp_reply reply)
{
    enum smtp_step step;

    (void)smtp_answer_error(server, reply);
    step = smtp_end_transaction(server);
    if (step != STEP_NONE)
        await_last_chunk(server);
    swallow(server);
    return step;
}

/* A chunk that belongs to no message; pipelined ones behind a failure are no new errors. */
static enum smtp_step stray_chunk(struct smtp_server *server)
{
    struct smtp_reply out_of_sequence = SMTP_REPLY(503, 5, 5, 1, "Bad sequence of commands");

    if (server->state == SMTP_CHUNKS_FAILED) {
        (void)smtp_answer(server, out_of_sequence);
        if (server->is_last_chunk)
            server->state = SMTP_GREETED;
    } else if (server->state == SMTP_HAS_SENDER) {
        (void)smtp_answer_error(server, no_recipients_reply(server));
    } else {
        (void)smtp_answer_error(server, out_of_sequence);
    }
    swallow(server);
    return STEP_NONE;
}

static enum smtp_step begin_chunk(struct smtp_server *server)
{
    server->mode = MODE_CHUNK;
    server->is_reading_body = true;
    return STEP_NONE;
}

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0;
}

/* bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ]   (RFC 3030 2) */
enum smtp_step smtp_on_bdat(struct smtp_server *server, struct slice arguments)
{
    static const struct smtp_reply syntax = SMTP_REPLY(501, 5, 5, 4, "Syntax: BDAT size [LAST]");
    struct slice digits = command_line_word(&arguments);
    bool is_in_order = server->state == SMTP_HAS_RECIPIENT || server->state == SMTP_IN_CHUNKS;
    uint64_t taken_before = server->state == SMTP_IN_CHUNKS ? server->body.n_wire : 0;

    /* Without a size nobody can say where commands go on, so there is no going on. */
    if (!is_number(digits))
        return smtp_close_with(server, syntax);
    if (!slice_to_number(digits, CHUNK_MAX_OCTETS, &server->chunk_left))
        return smtp_close_with(server, too_big);
    server->is_last_chunk = slice_equal_ignoring_case(arguments, SLICE_LITERAL("LAST"));
    if (arguments.len && !server->is_last_chunk)
        return fail_chunk(server, syntax);
    if (!is_in_order)
        return stray_chunk(server);
    /* A difference, since a sum could wrap. */
    if (server->chunk_left > server->settings.size_limit ||
        taken_before > server->settings.size_limit - server->chunk_left)
        return fail_chunk(server, too_big);
    if (server->state == SMTP_IN_CHUNKS)
        return begin_chunk(server);
    begin_body(server, true);
    return smtp_ask(server, SMTP_STEP_BODY_BEGINS);
}

static bool is_go_ahead(struct smtp_reply reply)
{
    return reply.code >= 200 && reply.code < 400;
}

static void refuse_body_beginning(struct smtp_server *server, struct smtp_reply reply)
{
    (void)smtp_answer(server, reply);
    (void)smtp_end_transaction(server);
    if (server->body.is_chunked) {
        await_last_chunk(server);
        swallow(server);
    }
}

void smtp_body_decided(struct smtp_server *server, struct smtp_reply reply)
{
    if (!is_go_ahead(reply)) {
        refuse_body_beginning(server, reply);
        return;
    }
    if (server->body.is_chunked) {
        server->state = SMTP_IN_CHUNKS;
        (void)begin_chunk(server);
        return;
    }
    (void)smtp_answer(server, SMTP_REPLY(354, 0, 0, 0, "End data with <CR><LF>.<CR><LF>"));
    server->mode = MODE_DATA;
    server->is_reading_body = true;
}

void smtp_message_decided(struct smtp_server *server, struct smtp_reply reply)
{
    if (smtp_reply_is_positive(reply))
        server->n_errors = 0;
    (void)smtp_answer(server, reply);
    (void)smtp_end_transaction(server);
}
