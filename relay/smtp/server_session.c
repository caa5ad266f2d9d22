#include <assert.h>

#include "relay/smtp/server_internal.h"

/* Replies beyond this wait for the peer: it cannot make us hold what it does not read. */
enum { OUTPUT_FLUSH_BYTES = 8192, ARENA_BYTES_PER_RECIPIENT = 1024, ARENA_BYTES_MORE = 16384 };
enum { DEFAULT_MAX_ERRORS = 20 };

void smtp_server_init(struct smtp_server *server, const struct smtp_server_settings *settings)
{
    *server = (struct smtp_server){.settings = *settings};
    if (server->settings.max_errors == 0)
        server->settings.max_errors = DEFAULT_MAX_ERRORS;
    arena_init(&server->arena,
               (size_t)settings->max_recipients * ARENA_BYTES_PER_RECIPIENT + ARENA_BYTES_MORE);
    buffer_init(&server->output, 0);
    command_line_reader_init(&server->lines);
}

void smtp_server_fini(struct smtp_server *server)
{
    smtp_forget_secret(server);
    command_line_reader_fini(&server->lines);
    buffer_fini(&server->output);
    arena_reset(&server->arena);
}

struct buffer *smtp_server_output(struct smtp_server *server)
{
    return &server->output;
}

void smtp_server_greet(struct smtp_server *server)
{
    struct slice hostname = server->settings.hostname;

    buffer_printf(&server->output, "220 %.*s ESMTP Staffetta\r\n", (int)hostname.len,
                  hostname.data);
}

enum smtp_step smtp_answer(struct smtp_server *server, struct smtp_reply reply)
{
    smtp_reply_print(&server->output, reply);
    if (reply.code == 421)
        server->is_closing = true;
    return STEP_NONE;
}

enum smtp_step smtp_close_with(struct smtp_server *server, struct smtp_reply reply)
{
    (void)smtp_answer(server, reply);
    server->is_closing = true;
    return STEP_NONE;
}

enum smtp_step smtp_answer_error(struct smtp_server *server, struct smtp_reply reply)
{
    server->n_errors++;
    if (server->n_errors >= server->settings.max_errors)
        return smtp_close_with(server, SMTP_REPLY(421, 4, 7, 0, "Too many errors, closing"));
    return smtp_answer(server, reply);
}

enum smtp_step smtp_ask(struct smtp_server *server, enum smtp_step step)
{
    server->awaiting = step;
    return step;
}

bool smtp_is_in_transaction(const struct smtp_server *server)
{
    return server->state == SMTP_HAS_SENDER || server->state == SMTP_HAS_RECIPIENT ||
           server->state == SMTP_IN_CHUNKS;
}

enum smtp_step smtp_end_transaction(struct smtp_server *server)
{
    bool was_in_transaction = smtp_is_in_transaction(server);

    arena_reset(&server->arena);
    server->mail = (struct smtp_mail){0};
    server->recipient = (struct smtp_recipient){0};
    server->n_recipients = 0;
    server->has_tried_recipients = false;
    server->is_reading_body = false;
    if (server->state != SMTP_CONNECTED)
        server->state = SMTP_GREETED;
    return was_in_transaction ? SMTP_STEP_TRANSACTION_ENDS : STEP_NONE;
}

static enum smtp_step message_ends(struct smtp_server *server, struct slice *input)
{
    (void)input;
    server->mode = MODE_COMMANDS;
    server->is_reading_body = false;
    return smtp_ask(server, SMTP_STEP_MESSAGE_ENDS);
}

/* CVE-2011-0411: what came in clear must not be read as if it had come through TLS. */
static enum smtp_step drop_input(struct smtp_server *server, struct slice *input)
{
    (void)server;
    *input = slice_skip(*input, input->len);
    return SMTP_STEP_MORE;
}

static enum smtp_step take_next_step(struct smtp_server *server)
{
    enum smtp_step step = server->next_step;

    server->next_step = STEP_NONE;
    return step == SMTP_STEP_TRANSACTION_ENDS ? step : smtp_ask(server, step);
}

static enum smtp_step advance(struct smtp_server *server, struct slice *input)
{
    static enum smtp_step (*const modes[N_MODES])(struct smtp_server *, struct slice *) = {
        [MODE_COMMANDS] = smtp_read_command,
        [MODE_AUTH] = smtp_read_auth,
        [MODE_DATA] = smtp_read_data,
        [MODE_CHUNK] = smtp_read_chunk,
        [MODE_SWALLOW] = smtp_swallow_chunk,
        [MODE_MESSAGE_ENDS] = message_ends,
        [MODE_TLS] = drop_input,
    };

    if (server->next_step)
        return take_next_step(server);
    if (server->is_closing || server->output.failed) {
        (void)drop_input(server, input);
        return SMTP_STEP_CLOSE;
    }
    if (server->output.len >= OUTPUT_FLUSH_BYTES)
        return SMTP_STEP_FLUSH;
    return modes[server->mode](server, input);
}

enum smtp_step smtp_server_feed(struct smtp_server *server, struct slice *input)
{
    enum smtp_step step = STEP_NONE;

    assert(!server->awaiting);
    if (!input->data)
        *input = SLICE_LITERAL("");
    while (step == STEP_NONE)
        step = advance(server, input);
    if (step == SMTP_STEP_START_TLS)
        (void)drop_input(server, input);
    return step;
}

void smtp_server_decide(struct smtp_server *server, struct smtp_reply reply)
{
    static void (*const decided[])(struct smtp_server *, struct smtp_reply) = {
        [SMTP_STEP_AUTHENTICATE] = smtp_login_decided,
        [SMTP_STEP_SENDER] = smtp_sender_decided,
        [SMTP_STEP_RECIPIENT] = smtp_recipient_decided,
        [SMTP_STEP_BODY_BEGINS] = smtp_body_decided,
        [SMTP_STEP_MESSAGE_ENDS] = smtp_message_decided,
    };
    enum smtp_step question = server->awaiting;

    if (server->is_closing) /* a time-out or shut-down came first, its 421 is the last word */
        return;
    assert(question);
    server->awaiting = STEP_NONE;
    decided[question](server, reply);
}

void smtp_server_tls_started(struct smtp_server *server)
{
    assert(server->mode == MODE_TLS);
    command_line_reader_wipe(&server->lines);
    server->mode = MODE_COMMANDS;
    server->state = SMTP_CONNECTED; /* RFC 3207 4.2: forget what was said in clear */
    server->settings.is_tls = true;
    server->is_esmtp = false;
    server->is_logged_in = false;
    server->helo[0] = '\0';
}

static void close_for(struct smtp_server *server, struct smtp_reply reply)
{
    if (server->is_closing)
        return;
    server->awaiting = server->next_step = STEP_NONE;
    smtp_forget_secret(server);
    (void)smtp_close_with(server, reply);
}

void smtp_server_refuse(struct smtp_server *server, struct smtp_reply reply)
{
    close_for(server, reply);
}

void smtp_server_timeout(struct smtp_server *server)
{
    close_for(server, SMTP_REPLY(421, 4, 4, 2, "Timeout, closing"));
}

void smtp_server_shutdown(struct smtp_server *server)
{
    close_for(server, SMTP_REPLY(421, 4, 3, 2, "Shutting down, try again shortly"));
}

bool smtp_server_is_idle(const struct smtp_server *server)
{
    return !smtp_is_in_transaction(server) && server->mode == MODE_COMMANDS &&
           server->awaiting == STEP_NONE;
}
