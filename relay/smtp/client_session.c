#include "relay/smtp/client_session.h"

#include <assert.h>
#include <stdio.h>

#include "relay/smtp/client_internal.h"

static enum smtp_client_step on_unasked(struct smtp_client *client);
static enum smtp_client_step on_quit(struct smtp_client *client);

/* What is awaited in each state, and who reads it. */
/* clang-format off */
static const struct {
    enum smtp_phase phase;
    enum smtp_client_step (*on_reply)(struct smtp_client *client);
} states[N_CLIENT_STATES] = {
    [CLIENT_AWAITS_BANNER] =   {SMTP_PHASE_BANNER,   client_on_banner},
    [CLIENT_AWAITS_EHLO] =     {SMTP_PHASE_EHLO,     client_on_ehlo},
    [CLIENT_AWAITS_HELO] =     {SMTP_PHASE_EHLO,     client_on_helo},
    [CLIENT_AWAITS_STARTTLS] = {SMTP_PHASE_STARTTLS, client_on_starttls},
    [CLIENT_IN_HANDSHAKE] =    {SMTP_PHASE_TLS,      on_unasked},
    [CLIENT_AWAITS_AUTH] =     {SMTP_PHASE_AUTH,     client_on_auth},
    [CLIENT_IDLE] =            {SMTP_PHASE_IDLE,     on_unasked},
    [CLIENT_IN_TRANSACTION] =  {SMTP_PHASE_MAIL,     client_on_transaction},
    [CLIENT_IN_BODY] =         {SMTP_PHASE_BODY,     client_on_early_reply},
    [CLIENT_AWAITS_DOT] =      {SMTP_PHASE_DOT,      client_on_dot},
    [CLIENT_AWAITS_LONE_DOT] = {SMTP_PHASE_DATA,     client_on_lone_dot},
    [CLIENT_HAS_FAILED] =      {SMTP_PHASE_IDLE,     on_unasked},
    [CLIENT_AWAITS_QUIT] =     {SMTP_PHASE_QUIT,     on_quit},
    [CLIENT_IS_OVER] =         {SMTP_PHASE_IDLE,     on_unasked},
};
/* clang-format on */

static enum smtp_phase awaited_phase(const struct smtp_client *client)
{
    return client->state == CLIENT_IN_TRANSACTION ? client_transaction_phase(client)
                                                  : states[client->state].phase;
}

void smtp_client_init(struct smtp_client *client, const struct smtp_client_settings *settings)
{
    *client = (struct smtp_client){.phase = SMTP_PHASE_BANNER,
                                   .state = CLIENT_AWAITS_BANNER,
                                   .settings = *settings,
                                   .is_secure = settings->is_secure};
    reply_reader_init(&client->reader);
    buffer_init(&client->output, 0);
}

void smtp_client_fini(struct smtp_client *client)
{
    reply_reader_fini(&client->reader);
    buffer_fini(&client->output);
}

struct buffer *smtp_client_output(struct smtp_client *client)
{
    return &client->output;
}

void client_say(struct smtp_client *client, const char *line)
{
    buffer_append_text(&client->output, line);
    buffer_append_text(&client->output, "\r\n");
}

void client_set_reply(struct smtp_client *client, uint16_t code, struct enhanced_status status,
                      const char *text)
{
    snprintf(client->words, sizeof(client->words), "%s", text);
    client->reply = smtp_reply_with(code, status, slice_of(client->words));
}

static bool is_before_ready(const struct smtp_client *client)
{
    return client->state < CLIENT_IDLE;
}

/* A transaction whose end the owner does not know yet. */
static bool owes_outcome(const struct smtp_client *client)
{
    return client->state >= CLIENT_IN_TRANSACTION && client->state <= CLIENT_AWAITS_DOT &&
           !client->outcome_told;
}

enum smtp_client_step client_fail_session(struct smtp_client *client)
{
    client->state = CLIENT_HAS_FAILED;
    return SMTP_CLIENT_SESSION_FAILED;
}

enum smtp_client_step client_end(struct smtp_client *client)
{
    enum smtp_client_step step = SMTP_CLIENT_CLOSED;

    client->owes_ready = false;
    if (is_before_ready(client))
        step = SMTP_CLIENT_SESSION_FAILED;
    else if (client->owes_no_recipient)
        step = SMTP_CLIENT_NO_RECIPIENT;
    else if (owes_outcome(client))
        step = SMTP_CLIENT_TRANSACTION_FAILED;
    client->owes_no_recipient = false;
    client->outcome_told = true;
    client->state = CLIENT_IS_OVER;
    return step;
}

enum smtp_client_step client_protocol_error(struct smtp_client *client, const char *problem)
{
    struct slice heard = reply_reader_excerpt(&client->reader);
    char words[sizeof(client->words)];

    snprintf(words, sizeof(words), "Protocol error, %s: %.*s", problem, (int)heard.len, heard.data);
    client_set_reply(client, 451, SMTP_STATUS(4, 5, 0), words);
    client->is_protocol_error = true;
    client->is_doubtful = client->state == CLIENT_AWAITS_DOT;
    return client_end(client);
}

static enum smtp_client_step on_unasked(struct smtp_client *client)
{
    return client_protocol_error(client, "a reply to nothing");
}

static enum smtp_client_step on_quit(struct smtp_client *client)
{
    return client_end(client);
}

static enum smtp_client_step on_reply(struct smtp_client *client)
{
    client->reply = reply_reader_reply(&client->reader);
    client->has_reply = true;
    if (client->settings.heard)
        client->settings.heard(client->settings.owner, client->phase, &client->reply);
    /* 421 may answer anything, and then the peer is gone (RFC 5321 3.8). */
    return client->reply.code == 421 ? client_end(client) : states[client->state].on_reply(client);
}

/* Steps that need no input. */
static enum smtp_client_step owed_step(struct smtp_client *client)
{
    if (client->owes_no_recipient) {
        client->owes_no_recipient = false;
        return SMTP_CLIENT_NO_RECIPIENT;
    }
    client_settle(client);
    if (client->owes_ready) {
        client->owes_ready = false;
        client->phase = SMTP_PHASE_IDLE;
        return SMTP_CLIENT_READY;
    }
    return client->state == CLIENT_IS_OVER ? SMTP_CLIENT_CLOSED : SMTP_CLIENT_MORE;
}

static void forget_reply(struct smtp_client *client)
{
    if (!client->has_reply || client->state == CLIENT_IS_OVER)
        return;
    client->has_reply = false;
    client->reply = (struct smtp_reply){0};
    reply_reader_next(&client->reader);
}

/* "250 taken" and a bare LF, after the dot: the message is theirs, and to try again would only
 * repeat it for as long as it lives.  The reply counts, the session ends, and what came behind it
 * is thrown away: how much of that is here already is chance. */
static enum smtp_client_step on_malformed(struct smtp_client *client)
{
    if (client->state != CLIENT_AWAITS_DOT || !client->reader.is_whole_but_cr ||
        client->reader.code != 250)
        return client_protocol_error(client, client->reader.problem);
    client->reply = reply_reader_reply(&client->reader);
    client->outcome_told = true;
    client->state = CLIENT_IS_OVER;
    return SMTP_CLIENT_MESSAGE_REPLIED;
}

enum smtp_client_step smtp_client_feed(struct smtp_client *client, struct slice *input)
{
    enum smtp_client_step step = owed_step(client);

    while (step == SMTP_CLIENT_MORE) {
        enum reply_progress progress;

        forget_reply(client);
        client->phase = awaited_phase(client);
        progress = reply_reader_feed(&client->reader, input);
        if (progress == REPLY_MORE)
            return SMTP_CLIENT_MORE;
        if (progress == REPLY_MALFORMED)
            return on_malformed(client);
        step = on_reply(client);
        /* What follows "220 go ahead" in clear was put there by somebody else (CVE-2011-0411). */
        if (step == SMTP_CLIENT_START_TLS && input->len) {
            client->state = CLIENT_AWAITS_STARTTLS;
            return client_protocol_error(client, "input behind STARTTLS");
        }
        if (step == SMTP_CLIENT_MORE)
            step = owed_step(client);
    }
    return step;
}

bool smtp_client_quit(struct smtp_client *client)
{
    if (client->state != CLIENT_IDLE && client->state != CLIENT_HAS_FAILED)
        return false;
    client_say(client, "QUIT");
    client->owes_ready = false;
    client->state = CLIENT_AWAITS_QUIT;
    client->phase = SMTP_PHASE_QUIT;
    return true;
}

enum smtp_client_step smtp_client_lost(struct smtp_client *client, const char *why)
{
    char words[sizeof(client->words)];

    if (client->state == CLIENT_IS_OVER)
        return SMTP_CLIENT_CLOSED;
    client->phase = awaited_phase(client);
    client->is_doubtful = client->state == CLIENT_AWAITS_DOT;
    snprintf(words, sizeof(words), "%s in phase %s%s", why, smtp_phase_name(client->phase),
             client->is_doubtful ? ", after the end of data" : "");
    client_set_reply(client, 0, SMTP_STATUS(4, 4, 2), words);
    return client_end(client);
}
