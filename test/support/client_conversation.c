#include "test/support/client_conversation.h"

#include <stdio.h>

#include "test/support/test_support.h"

struct talk talk;

static const struct smtp_client_recipient two[] = {{.address = SLICE_LITERAL("a@x.org")},
                                                   {.address = SLICE_LITERAL("b@x.org")}};
const struct smtp_transaction plain_mail = {
    .sender = SLICE_LITERAL("s@y.org"), .size = 4, .recipients = two, .n_recipients = 2};

static void note_reply(const char *step)
{
    buffer_printf(&talk.steps, "%s %s %u", step, smtp_phase_name(talk.client.phase),
                  talk.client.reply.code);
    if (talk.client.is_doubtful)
        buffer_append_text(&talk.steps, " doubtful");
    if (talk.client.is_protocol_error)
        buffer_append_text(&talk.steps, " protocol");
    buffer_append_text(&talk.steps, "\n");
}

static void on_ready(void)
{
    const struct smtp_transaction *mail = talk.n_sent < 3 ? talk.now->mails[talk.n_sent] : NULL;

    buffer_append_text(&talk.steps, "ready\n");
    if (mail) {
        talk.n_sent++;
        if (smtp_client_send(&talk.client, mail) == SMTP_CLIENT_UNSENDABLE)
            buffer_append_text(&talk.steps, "unsendable\n");
    }
}

static void on_send_body(void)
{
    struct slice body = slice_of(talk.now->body ? talk.now->body : "Hi\r\n");

    buffer_printf(&talk.steps, "body %u\n", talk.client.n_accepted);
    if (smtp_client_body(&talk.client, body) == 0 && smtp_client_body_end(&talk.client) == 0)
        return;
    buffer_append_text(&talk.steps, "unclean\n");
}

void conversation_note(enum smtp_client_step step)
{
    switch (step) {
    case SMTP_CLIENT_MORE:
        break;
    case SMTP_CLIENT_START_TLS:
        buffer_append_text(&talk.steps, "tls\n");
        smtp_client_tls_started(&talk.client);
        break;
    case SMTP_CLIENT_READY:
        on_ready();
        break;
    case SMTP_CLIENT_RECIPIENT_REPLIED:
        buffer_printf(&talk.steps, "rcpt %u %u\n", talk.client.recipient_index,
                      talk.client.reply.code);
        break;
    case SMTP_CLIENT_SEND_BODY:
        on_send_body();
        break;
    case SMTP_CLIENT_MESSAGE_REPLIED:
        note_reply("message");
        break;
    case SMTP_CLIENT_NO_RECIPIENT:
        buffer_append_text(&talk.steps, "nobody\n");
        break;
    case SMTP_CLIENT_TRANSACTION_FAILED:
        note_reply("failed");
        break;
    case SMTP_CLIENT_SESSION_FAILED:
        note_reply("session");
        break;
    case SMTP_CLIENT_CLOSED:
        note_reply("closed");
        break;
    }
}

enum smtp_client_step conversation_feed(struct slice input)
{
    enum smtp_client_step step;

    do {
        step = smtp_client_feed(&talk.client, &input);
        conversation_note(step);
        buffer_append(&talk.commands, buffer_slice(smtp_client_output(&talk.client)));
        buffer_clear(smtp_client_output(&talk.client));
    } while (step != SMTP_CLIENT_MORE && step != SMTP_CLIENT_CLOSED);
    return step;
}

static void say(struct slice input, size_t piece)
{
    while (input.len) {
        struct slice part = slice_head(input, piece);

        if (conversation_feed(part) == SMTP_CLIENT_CLOSED)
            return;
        input = slice_skip(input, part.len);
    }
}

static void expect(struct buffer *what, const char *text)
{
    assert_slice_is(buffer_slice(what), text);
    buffer_clear(what);
}

static void play_row(const struct row *row, size_t piece)
{
    switch (row->kind) {
    case 'S':
        say(slice_of(row->text), piece);
        break;
    case 'C':
        expect(&talk.commands, row->text);
        break;
    case 'E':
        expect(&talk.steps, row->text);
        break;
    case 'L':
        conversation_note(smtp_client_lost(&talk.client, row->text));
        break;
    default:
        assert_true(smtp_client_quit(&talk.client));
        conversation_feed((struct slice){0});
    }
}

void conversation_begin(const struct conversation *conversation)
{
    talk.now = conversation;
    talk.n_sent = 0;
    buffer_clear(&talk.commands);
    buffer_clear(&talk.steps);
    smtp_client_init(&talk.client, &conversation->settings);
}

void conversation_play(const struct conversation *conversation)
{
    static const size_t pieces[] = {SIZE_MAX, 1};

    for (size_t i = 0; i < 2; i++) {
        conversation_begin(conversation);
        for (const struct row *row = conversation->rows; row->kind; row++)
            play_row(row, pieces[i]);
        smtp_client_fini(&talk.client);
    }
}

int conversation_forget(void **state)
{
    (void)state;
    buffer_fini(&talk.commands);
    buffer_fini(&talk.steps);
    return 0;
}
