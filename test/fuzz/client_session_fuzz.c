/* A server that says anything.  First byte: settings; the rest: what the server says.  The steps
 * must not depend on how the bytes come, every transaction ends once, and whatever is written
 * consists of CRLF lines. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/client_session.h"

static const struct smtp_client_recipient recipients[] = {
    {.address = SLICE_LITERAL("a@x.org"),       .notify = SMTP_NOTIFY_SUCCESS     },
    {.address = SLICE_LITERAL("\"b c\"@x.org"), .orcpt = SLICE_LITERAL("rfc822;b")}
};
static const struct smtp_transaction mail = {
    .sender = SLICE_LITERAL("s@y.org"), .size = 9, .recipients = recipients, .n_recipients = 2};

struct run {
    struct smtp_client client;
    struct buffer steps, commands;
    bool has_transaction;
};

static void on_ready(struct run *run)
{
    PROMISE(!run->has_transaction);
    if (run->steps.len < 1000)
        run->has_transaction = smtp_client_send(&run->client, &mail) == 0;
    else
        PROMISE(smtp_client_quit(&run->client));
}

static void on_step(struct run *run, enum smtp_client_step step)
{
    buffer_append_u8(&run->steps, (uint8_t)step);
    switch (step) {
    case SMTP_CLIENT_START_TLS:
        smtp_client_tls_started(&run->client);
        break;
    case SMTP_CLIENT_READY:
        on_ready(run);
        break;
    case SMTP_CLIENT_SEND_BODY:
        PROMISE(run->has_transaction && run->client.n_accepted > 0);
        PROMISE(smtp_client_body(&run->client, SLICE_LITERAL(".\r\nbody\r\n")) == 0);
        PROMISE(smtp_client_body_end(&run->client) == 0);
        break;
    case SMTP_CLIENT_MESSAGE_REPLIED:
    case SMTP_CLIENT_NO_RECIPIENT:
    case SMTP_CLIENT_TRANSACTION_FAILED:
        PROMISE(run->has_transaction);
        run->has_transaction = false;
        break;
    case SMTP_CLIENT_MORE:
    case SMTP_CLIENT_RECIPIENT_REPLIED:
    case SMTP_CLIENT_SESSION_FAILED:
    case SMTP_CLIENT_CLOSED:
        break;
    }
}

static enum smtp_client_step feed(struct run *run, struct slice input)
{
    enum smtp_client_step step;

    do {
        step = smtp_client_feed(&run->client, &input);
        if (step != SMTP_CLIENT_MORE)
            on_step(run, step);
        buffer_append(&run->commands, buffer_slice(smtp_client_output(&run->client)));
        buffer_clear(smtp_client_output(&run->client));
    } while (step != SMTP_CLIENT_MORE && step != SMTP_CLIENT_CLOSED);
    PROMISE(step == SMTP_CLIENT_CLOSED || input.len == 0);
    return step;
}

static void play(struct run *run, uint8_t choice, struct slice input, size_t piece)
{
    struct smtp_client_settings settings = {
        .ehlo_name = SLICE_LITERAL("me.example"),
        .tls = choice & 1 ? SMTP_CLIENT_TLS_MAY : SMTP_CLIENT_TLS_NEVER,
        .is_secure = choice & 2,
        .user = choice & 4 ? SLICE_LITERAL("user") : SLICE_LITERAL(""),
        .password = SLICE_LITERAL("pass"),
        .auth_in_clear = choice & 8};
    enum smtp_client_step step = SMTP_CLIENT_MORE;

    *run = (struct run){0};
    smtp_client_init(&run->client, &settings);
    for (; input.len && step != SMTP_CLIENT_CLOSED; input = slice_skip(input, piece))
        step = feed(run, slice_head(input, piece));
    if (step != SMTP_CLIENT_CLOSED)
        on_step(run, smtp_client_lost(&run->client, "Connection lost"));
    PROMISE(!run->has_transaction);
    for (size_t i = 0; i < run->commands.len; i++)
        PROMISE((run->commands.data[i] == '\n') == (i > 0 && run->commands.data[i - 1] == '\r'));
}

static void end(struct run *run)
{
    smtp_client_fini(&run->client);
    buffer_fini(&run->steps);
    buffer_fini(&run->commands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole, bytes;

    if (size < 2)
        return 0;
    play(&whole, data[0], slice_from(data + 1, size - 1), SIZE_MAX);
    play(&bytes, data[0], slice_from(data + 1, size - 1), 1);
    /* Bytes behind STARTTLS are seen only when they come with its reply. */
    if (!(data[0] & 1)) {
        PROMISE(slice_equal(buffer_slice(&whole.steps), buffer_slice(&bytes.steps)));
        PROMISE(slice_equal(buffer_slice(&whole.commands), buffer_slice(&bytes.commands)));
    }
    end(&whole);
    end(&bytes);
    return 0;
}
