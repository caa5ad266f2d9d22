/* The whole session: the same replies, questions and bodies however the octets arrive; nobody
 * sends without login; replies are well-formed.  First octet: kind of listener, second: pieces. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/server_session.h"

struct play {
    struct smtp_server server;
    struct buffer seen; /* replies, questions, accepted bodies, in order */
    struct buffer body; /* so far; of a refused one any part may have come */
    bool is_over;
};

static struct smtp_server_settings settings_of(uint8_t kind)
{
    return (struct smtp_server_settings){
        .hostname = SLICE_LITERAL("relay.example"),
        .size_limit = 200,
        .max_recipients = 3,
        .max_errors = 12,
        .offers_starttls = kind & 1,
        .is_tls = kind & 2,
        .needs_auth = kind & 4,
        .plain_auth = kind & 8,
        .repair_newlines = kind & 16,
        .bounces_only = kind & 32,
    };
}

/* An owner who refuses now and then, by what it is asked about and not by chance. */
static struct smtp_reply reply_to(struct play *play, enum smtp_step step)
{
    const struct smtp_server *server = &play->server;

    if (step == SMTP_STEP_AUTHENTICATE)
        return slice_find(server->login.password, 'w') >= 0 ? SMTP_REPLY(235, 2, 7, 0, "Ok")
                                                            : SMTP_BAD_LOGIN;
    if (step == SMTP_STEP_SENDER && server->mail.size == 7)
        return SMTP_REPLY(452, 4, 3, 1, "Later");
    if (step == SMTP_STEP_RECIPIENT &&
        slice_starts_with(server->recipient.address.whole, SLICE_LITERAL("no")))
        return SMTP_REPLY(550, 5, 1, 1, "No");
    if (step == SMTP_STEP_BODY_BEGINS && server->mail.ret == SMTP_RET_HDRS)
        return SMTP_REPLY(451, 4, 3, 0, "Later");
    return SMTP_REPLY(250, 2, 0, 0, "Ok");
}

static void check_question(const struct play *play, enum smtp_step step)
{
    const struct smtp_server *server = &play->server;
    bool is_allowed = !server->settings.needs_auth || server->is_logged_in ||
                      (server->settings.bounces_only && server->mail.sender.is_null);

    PROMISE(step == SMTP_STEP_AUTHENTICATE || is_allowed);
    PROMISE(step != SMTP_STEP_AUTHENTICATE || server->settings.is_tls ||
            server->settings.plain_auth);
    PROMISE(step != SMTP_STEP_MESSAGE_ENDS || server->body.n_octets <= 200);
    PROMISE(step != SMTP_STEP_MESSAGE_ENDS || server->body.verdict == BODY_CLEAN);
    PROMISE(server->n_recipients <= 3);
}

static void on_step(struct play *play, enum smtp_step step)
{
    if (step == SMTP_STEP_BODY) {
        buffer_append(&play->body, play->server.chunk);
        return;
    }
    if (step == SMTP_STEP_BODY_BEGINS)
        buffer_clear(&play->body);
    if (step == SMTP_STEP_MESSAGE_ENDS)
        buffer_append(&play->seen, buffer_slice(&play->body));
    if (!smtp_server_awaits_decision(&play->server))
        return;
    buffer_printf(&play->seen, "<%d %.*s %.*s>", (int)step, (int)play->server.mail.sender.whole.len,
                  play->server.mail.sender.whole.data,
                  (int)play->server.recipient.address.whole.len,
                  play->server.recipient.address.whole.data);
    check_question(play, step);
    smtp_server_decide(&play->server, reply_to(play, step));
}

static void feed_piece(struct play *play, struct slice piece)
{
    struct buffer *output = smtp_server_output(&play->server);
    enum smtp_step step;
    char *copy = slice_to_string(piece);
    struct slice input = {copy, piece.len};

    do {
        step = smtp_server_feed(&play->server, &input);
        PROMISE(output->len == 0 ||
                slice_ends_with_ignoring_case(buffer_slice(output), SLICE_LITERAL("\r\n")));
        buffer_append(&play->seen, buffer_slice(output));
        buffer_clear(output);
        on_step(play, step);
    } while (step != SMTP_STEP_MORE && step != SMTP_STEP_CLOSE && step != SMTP_STEP_START_TLS);
    PROMISE(input.len == 0);
    /* What is thrown away before the handshake depends on when it arrives: no more is sent. */
    play->is_over = step == SMTP_STEP_CLOSE || step == SMTP_STEP_START_TLS;
    free(copy);
}

static void play_session(struct slice text, uint8_t kind, size_t piece, struct play *play)
{
    struct smtp_server_settings settings = settings_of(kind);

    smtp_server_init(&play->server, &settings);
    smtp_server_greet(&play->server);
    while (text.len && !play->is_over) {
        struct slice now = slice_head(text, piece);

        feed_piece(play, now);
        text = slice_skip(text, now.len);
    }
    smtp_server_fini(&play->server);
    buffer_fini(&play->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play whole = {0}, in_pieces = {0};
    struct slice text = slice_from(data, size);

    if (size < 2)
        return 0;
    text = slice_skip(text, 2);
    play_session(text, data[0], size, &whole);
    play_session(text, data[0], data[1] % 8 + 1U, &in_pieces);
    PROMISE(slice_equal(buffer_slice(&whole.seen), buffer_slice(&in_pieces.seen)));
    buffer_fini(&whole.seen);
    buffer_fini(&in_pieces.seen);
    return 0;
}
