#include <assert.h>

#include "relay/smtp/client_internal.h"

/* Commands sent ahead of their replies: enough to fill any round trip, and little enough that
 * neither side's buffers can fill up while both write (RFC 2920 3.1). */
enum { PIPELINE_WINDOW = 64 };

enum { ENVID_MAX = 100, ORCPT_MAX = 500 }; /* RFC 3461 4.4 and 4.2 */

static uint32_t data_position(const struct smtp_client *client)
{
    return AT_FIRST_RECIPIENT + client->transaction->n_recipients;
}

enum smtp_phase client_transaction_phase(const struct smtp_client *client)
{
    if (client->next_reply == AT_RSET)
        return SMTP_PHASE_RSET;
    if (client->next_reply == AT_MAIL)
        return SMTP_PHASE_MAIL;
    if (client->next_reply < data_position(client))
        return SMTP_PHASE_RCPT;
    return client->transaction->ends_at_rcpt ? SMTP_PHASE_RSET : SMTP_PHASE_DATA;
}

/* Could the address end its own angle brackets, or its line?  Whatever let it into the queue, it
 * goes no further. */
static bool is_sayable(struct slice address, bool allows_utf8)
{
    bool is_quoted = false;

    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.data[i];

        if (c < ' ' || c == 0x7f || (c > 0x7f && !allows_utf8))
            return false;
        if (c == '"')
            is_quoted = !is_quoted;
        else if (c == '\\' && is_quoted && i + 1 < address.len && address.data[i + 1] >= ' ')
            i++;
        else if (!is_quoted && (c == '<' || c == '>' || c == ' '))
            return false;
    }
    return !is_quoted;
}

/* A parameter's value has no blanks and no controls. */
static bool is_value(struct slice value, size_t max, bool allows_utf8)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (c <= ' ' || c == 0x7f || (c > 0x7f && !allows_utf8))
            return false;
    }
    return value.len > 0 && value.len <= max;
}

static void say_address(struct smtp_client *client, const char *verb, struct slice address)
{
    buffer_append_text(&client->output, verb);
    buffer_append(&client->output, address);
    buffer_append_byte(&client->output, '>');
}

static void say_mail(struct smtp_client *client)
{
    const struct smtp_transaction *mail = client->transaction;
    struct buffer *out = &client->output;

    say_address(client, "MAIL FROM:<", mail->sender);
    if (client->peer.has_size && mail->size)
        buffer_printf(out, " SIZE=%llu", (unsigned long long)mail->size);
    if (mail->is_eight_bit)
        buffer_append_text(out, " BODY=8BITMIME");
    if (mail->is_smtputf8)
        buffer_append_text(out, " SMTPUTF8");
    if (client->peer.dsn && mail->ret != SMTP_RET_UNSTATED)
        buffer_append_text(out, mail->ret == SMTP_RET_FULL ? " RET=FULL" : " RET=HDRS");
    if (client->peer.dsn && is_value(mail->envid, ENVID_MAX, false)) {
        buffer_append_text(out, " ENVID=");
        buffer_append(out, mail->envid);
    }
    if (client->peer.mt_priority && mail->has_priority)
        buffer_printf(out, " MT-PRIORITY=%d", mail->priority);
    buffer_append_text(out, "\r\n");
}

static void say_notify(struct buffer *out, uint8_t notify)
{
    static const struct {
        enum smtp_notify bit;
        const char *word;
    } words[] = {
        {SMTP_NOTIFY_SUCCESS, "SUCCESS"},
        {SMTP_NOTIFY_FAILURE, "FAILURE"},
        {SMTP_NOTIFY_DELAY,   "DELAY"  }
    };
    const char *between = " NOTIFY=";

    if (notify & SMTP_NOTIFY_NEVER) { /* stands alone (RFC 3461 4.1) */
        buffer_append_text(out, " NOTIFY=NEVER");
        return;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!(notify & words[i].bit))
            continue;
        buffer_append_text(out, between);
        buffer_append_text(out, words[i].word);
        between = ",";
    }
}

static void say_recipient(struct smtp_client *client, const struct smtp_client_recipient *recipient)
{
    struct buffer *out = &client->output;

    say_address(client, "RCPT TO:<", recipient->address);
    if (client->peer.dsn) {
        say_notify(out, recipient->notify);
        if (is_value(recipient->orcpt, ORCPT_MAX, client->transaction->is_smtputf8)) {
            buffer_append_text(out, " ORCPT=");
            buffer_append(out, recipient->orcpt);
        }
    }
    buffer_append_text(out, "\r\n");
}

static void say_command(struct smtp_client *client, uint32_t position)
{
    if (position == AT_RSET)
        client_say(client, "RSET");
    else if (position == AT_MAIL)
        say_mail(client);
    else if (position == data_position(client))
        client_say(client, client->transaction->ends_at_rcpt ? "RSET" : "DATA");
    else
        say_recipient(client, &client->transaction->recipients[position - AT_FIRST_RECIPIENT]);
}

static bool may_say_next(const struct smtp_client *client)
{
    if (client->outcome_told || client->next_command > data_position(client))
        return false;
    return client->peer.pipelining ? client->next_command - client->next_reply < PIPELINE_WINDOW
                                   : client->next_command == client->next_reply;
}

static void say_what_may_be_said(struct smtp_client *client)
{
    while (may_say_next(client))
        say_command(client, client->next_command++);
}

static bool is_sendable(const struct smtp_client *client, const struct smtp_transaction *mail)
{
    if (mail->is_eight_bit && !client->peer.eight_bit_mime)
        return false;
    if (mail->is_smtputf8 && !client->peer.smtputf8)
        return false;
    if (!is_sayable(mail->sender, mail->is_smtputf8))
        return false;
    for (uint32_t i = 0; i < mail->n_recipients; i++)
        if (!mail->recipients[i].address.len ||
            !is_sayable(mail->recipients[i].address, mail->is_smtputf8))
            return false;
    return mail->n_recipients > 0;
}

int smtp_client_send(struct smtp_client *client, const struct smtp_transaction *transaction)
{
    assert(client->state == CLIENT_IDLE && !client->owes_ready);
    if (!is_sendable(client, transaction))
        return SMTP_CLIENT_UNSENDABLE;
    client->transaction = transaction;
    client->next_command = client->next_reply = client->must_reset ? AT_RSET : AT_MAIL;
    client->n_accepted = 0;
    client->recipient_index = 0;
    client->outcome_told = false;
    client->body = (struct body_writer){0};
    client->state = CLIENT_IN_TRANSACTION;
    say_what_may_be_said(client);
    client->phase = client_transaction_phase(client);
    return buffer_error(&client->output);
}

static enum smtp_client_step fail_transaction(struct smtp_client *client)
{
    client->outcome_told = true;
    return SMTP_CLIENT_TRANSACTION_FAILED;
}

/* A refused RSET is the peer's fault, not the mail's: whatever the code, try later. */
static enum smtp_client_step on_rset(struct smtp_client *client)
{
    if (!smtp_reply_is_positive(client->reply))
        return client_protocol_error(client, "RSET refused");
    client->must_reset = false;
    return SMTP_CLIENT_MORE;
}

static enum smtp_client_step on_mail(struct smtp_client *client)
{
    if (client->reply.code >= 400)
        return fail_transaction(client);
    if (!smtp_reply_is_positive(client->reply))
        return client_protocol_error(client, "odd reply to MAIL");
    client->must_reset = true;
    return SMTP_CLIENT_MORE;
}

static enum smtp_client_step on_recipient(struct smtp_client *client)
{
    if (client->outcome_told)
        return SMTP_CLIENT_MORE;
    if (client->reply.code < 400 && !smtp_reply_is_positive(client->reply))
        return client_protocol_error(client, "odd reply to RCPT");
    if (smtp_reply_is_positive(client->reply))
        client->n_accepted++;
    client->recipient_index = client->next_reply - 1 - AT_FIRST_RECIPIENT;
    if (client->next_reply == data_position(client) && client->n_accepted == 0)
        client->outcome_told = client->owes_no_recipient = true;
    return SMTP_CLIENT_RECIPIENT_REPLIED;
}

/* DATA went out before it was known that nobody is left to send to (RFC 2920 3.1). */
static enum smtp_client_step end_empty(struct smtp_client *client)
{
    client_say(client, ".");
    client->state = CLIENT_AWAITS_LONE_DOT;
    return SMTP_CLIENT_MORE;
}

static enum smtp_client_step on_data(struct smtp_client *client)
{
    bool is_go_ahead = client->reply.code >= 300 && client->reply.code < 400;

    if (is_go_ahead && client->outcome_told)
        return end_empty(client);
    if (is_go_ahead) {
        client->state = CLIENT_IN_BODY;
        return SMTP_CLIENT_SEND_BODY;
    }
    if (smtp_reply_is_positive(client->reply))
        return client_protocol_error(client, "odd reply to DATA");
    return client->outcome_told ? SMTP_CLIENT_MORE : fail_transaction(client);
}

/* The last of a test: whatever its recipient was told, nothing follows. */
static enum smtp_client_step on_last_rset(struct smtp_client *client)
{
    enum smtp_client_step step = on_rset(client);

    if (step == SMTP_CLIENT_MORE && !client->outcome_told)
        client->outcome_told = client->owes_no_recipient = true;
    return step;
}

enum smtp_client_step client_on_transaction(struct smtp_client *client)
{
    uint32_t position = client->next_reply++;
    bool is_last = position == data_position(client);
    enum smtp_client_step step;

    if (position == AT_RSET || (is_last && client->transaction->ends_at_rcpt))
        step = is_last ? on_last_rset(client) : on_rset(client);
    else if (position == AT_MAIL)
        step = on_mail(client);
    else if (is_last)
        step = on_data(client);
    else
        step = on_recipient(client);
    if (client->state == CLIENT_IN_TRANSACTION)
        say_what_may_be_said(client);
    return step;
}

void client_settle(struct smtp_client *client)
{
    if (client->state != CLIENT_IN_TRANSACTION || !client->outcome_told ||
        client->next_reply != client->next_command)
        return;
    client->state = CLIENT_IDLE;
    client->owes_ready = true;
}

/* Before the dot only a refusal makes sense, and half a body cannot be taken back. */
enum smtp_client_step client_on_early_reply(struct smtp_client *client)
{
    return client->reply.code < 400 ? client_protocol_error(client, "a reply before the final dot")
                                    : client_end(client);
}

int smtp_client_body(struct smtp_client *client, struct slice chunk)
{
    assert(client->state == CLIENT_IN_BODY);
    return body_writer_write(&client->body, chunk, &client->output);
}

int smtp_client_body_end(struct smtp_client *client)
{
    int error;

    assert(client->state == CLIENT_IN_BODY);
    error = body_writer_end(&client->body, &client->output);
    if (error)
        return error;
    client->state = CLIENT_AWAITS_DOT;
    client->phase = SMTP_PHASE_DOT;
    return 0;
}

enum smtp_client_step client_on_dot(struct smtp_client *client)
{
    if (client->reply.code >= 300 && client->reply.code < 400)
        return client_protocol_error(client, "odd reply to the final dot");
    client->must_reset = false;
    client->outcome_told = true;
    client->state = CLIENT_IDLE;
    client->owes_ready = true;
    return SMTP_CLIENT_MESSAGE_REPLIED;
}

enum smtp_client_step client_on_lone_dot(struct smtp_client *client)
{
    client->must_reset = false;
    client->state = CLIENT_IDLE;
    client->owes_ready = true;
    return SMTP_CLIENT_MORE;
}
