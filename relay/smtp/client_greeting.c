#include <assert.h>
#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/smtp/base64.h"
#include "relay/smtp/client_internal.h"

/* What the next 334 asks for. */
enum { PLAIN_RESPONSE, LOGIN_USER, LOGIN_PASSWORD, NOTHING_LEFT };

static void say_hello(struct smtp_client *client, const char *verb)
{
    buffer_append_text(&client->output, verb);
    buffer_append(&client->output, client->settings.ehlo_name);
    buffer_append_text(&client->output, "\r\n");
}

static void say_ehlo(struct smtp_client *client)
{
    client->peer = (struct smtp_client_peer){0};
    client->state = CLIENT_AWAITS_EHLO;
    say_hello(client, "EHLO ");
}

enum smtp_client_step client_on_banner(struct smtp_client *client)
{
    if (!smtp_reply_is_positive(client->reply))
        return client->reply.code < 400 ? client_protocol_error(client, "no greeting")
                                        : client_fail_session(client);
    say_ehlo(client);
    return SMTP_CLIENT_MORE;
}

static struct slice next_word(struct slice *rest)
{
    struct slice word;
    size_t len = 0;

    while (rest->len && rest->data[0] == ' ')
        *rest = slice_skip(*rest, 1);
    while (len < rest->len && rest->data[len] != ' ')
        len++;
    word = slice_head(*rest, len);
    *rest = slice_skip(*rest, len);
    return word;
}

static void read_size(struct smtp_client_peer *peer, struct slice args)
{
    struct slice digits = next_word(&args);

    peer->has_size = true;
    if (!slice_to_number(digits, UINT64_MAX, &peer->size))
        peer->size = 0;
}

static void read_auth(struct smtp_client_peer *peer, struct slice args)
{
    for (struct slice word = next_word(&args); word.len; word = next_word(&args)) {
        peer->auth_plain |= slice_equal_ignoring_case(word, SLICE_LITERAL("PLAIN"));
        peer->auth_login |= slice_equal_ignoring_case(word, SLICE_LITERAL("LOGIN"));
    }
}

static void read_limit(struct slice word, struct slice name, uint32_t *limit)
{
    uint64_t value;

    if (slice_starts_with_ignoring_case(word, name) &&
        slice_to_number(slice_skip(word, name.len), UINT32_MAX, &value))
        *limit = (uint32_t)value;
}

static void read_limits(struct smtp_client_peer *peer, struct slice args)
{
    for (struct slice word = next_word(&args); word.len; word = next_word(&args)) {
        read_limit(word, SLICE_LITERAL("MAILMAX="), &peer->max_mails);
        read_limit(word, SLICE_LITERAL("RCPTMAX="), &peer->max_recipients);
    }
}

static void read_keyword(struct smtp_client_peer *peer, struct slice line)
{
    static const struct {
        const char *keyword;
        size_t flag; /* offset of a bool in the peer, or */
        void (*read)(struct smtp_client_peer *peer, struct slice args);
    } keywords[] = {
        {"PIPELINING",                      offsetof(struct smtp_client_peer,            pipelining),                                                                 NULL},
        {"8BITMIME",                                 offsetof(struct smtp_client_peer,                                                                   eight_bit_mime),                                                                              NULL},
        {"SMTPUTF8",                             offsetof(struct smtp_client_peer,                                                                        smtputf8),                                                             NULL},
        {"DSN",                        offsetof(struct smtp_client_peer,dsn),       NULL},
        {"CHUNKING",offsetof(struct smtp_client_peer,                          chunking),                                                                                           NULL},
        {"MT-PRIORITY",                        offsetof(struct smtp_client_peer,                                                          mt_priority),                                                                                                   NULL},
        {"STARTTLS",                                 offsetof(struct smtp_client_peer,                                                                starttls),                                                                                    NULL},
        {"ENHANCEDSTATUSCODES",                             offsetof(struct smtp_client_peer,                                                                        enhanced_codes),                                        NULL},
        {"SIZE",                        0,read_size},
        {"AUTH",0,read_auth},
        {"LIMITS",                            0,                                               read_limits                                                                                                                 },
    };
    struct slice word = next_word(&line);

    /* "AUTH=LOGIN", as servers wrote it for the clients of 1998. */
    if (slice_starts_with_ignoring_case(word, SLICE_LITERAL("AUTH="))) {
        read_auth(peer, slice_skip(word, 5));
        word.len = 4;
    }
    for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
        if (!slice_equal_ignoring_case(word, slice_of(keywords[i].keyword)))
            continue;
        if (keywords[i].read)
            keywords[i].read(peer, line);
        else
            *(bool *)((char *)peer + keywords[i].flag) = true;
    }
}

static struct slice next_line(struct slice *rest)
{
    ptrdiff_t end = slice_find(*rest, '\n');
    struct slice line = slice_head(*rest, end < 0 ? rest->len : (size_t)end);

    *rest = slice_skip(*rest, line.len + 1);
    return line;
}

static void read_name(struct smtp_client_peer *peer, struct slice line)
{
    (void)slice_copy_to(next_word(&line), peer->name, sizeof(peer->name));
    for (char *c = peer->name; *c; c++)
        if (*c < '!' || *c > '~')
            *c = '?';
}

static enum smtp_client_step fail_with(struct smtp_client *client, enum smtp_phase phase,
                                       struct enhanced_status status, const char *text)
{
    client->phase = phase;
    client_set_reply(client, 451, status, text);
    return client_fail_session(client);
}

static void say_response(struct smtp_client *client, const char *verb, struct slice secret)
{
    buffer_append_text(&client->output, verb);
    base64_encode(&client->output, secret);
    buffer_append_text(&client->output, "\r\n");
}

static void say_plain(struct smtp_client *client, const char *verb)
{
    struct buffer message = BUFFER_INIT;

    buffer_append_byte(&message, '\0');
    buffer_append(&message, client->settings.user);
    buffer_append_byte(&message, '\0');
    buffer_append(&message, client->settings.password);
    say_response(client, verb, buffer_slice(&message));
    if (message.data)
        secret_wipe(message.data, message.capacity);
    buffer_fini(&message);
}

static enum smtp_client_step start_auth(struct smtp_client *client)
{
    if (!client->is_secure && !client->settings.auth_in_clear)
        return fail_with(client, SMTP_PHASE_AUTH, SMTP_STATUS(4, 7, 11),
                         "No TLS, and the password is not sent in clear");
    if (!client->peer.auth_plain && !client->peer.auth_login)
        return fail_with(client, SMTP_PHASE_AUTH, SMTP_STATUS(4, 7, 0),
                         "The server offers neither AUTH PLAIN nor LOGIN");
    client->state = CLIENT_AWAITS_AUTH;
    client->auth_step = client->peer.auth_plain ? PLAIN_RESPONSE : LOGIN_USER;
    if (client->peer.auth_plain)
        say_plain(client, "AUTH PLAIN ");
    else
        client_say(client, "AUTH LOGIN");
    return SMTP_CLIENT_MORE;
}

static enum smtp_client_step become_ready(struct smtp_client *client)
{
    client->state = CLIENT_IDLE;
    return SMTP_CLIENT_READY;
}

/* TLS is settled one way or the other. */
static enum smtp_client_step go_on(struct smtp_client *client)
{
    if (client->settings.tls == SMTP_CLIENT_TLS_MUST && !client->is_secure)
        return fail_with(client, SMTP_PHASE_STARTTLS, SMTP_STATUS(4, 7, 10),
                         "TLS is required and was not offered");
    return client->settings.user.len ? start_auth(client) : become_ready(client);
}

enum smtp_client_step client_on_ehlo(struct smtp_client *client)
{
    struct slice rest = client->reply.text;

    if (smtp_reply_is_permanent(client->reply)) {
        client->state = CLIENT_AWAITS_HELO;
        say_hello(client, "HELO ");
        return SMTP_CLIENT_MORE;
    }
    if (!smtp_reply_is_positive(client->reply))
        return client->reply.code < 400 ? client_protocol_error(client, "odd reply to EHLO")
                                        : client_fail_session(client);
    client->peer.is_esmtp = true;
    read_name(&client->peer, next_line(&rest));
    while (rest.len)
        read_keyword(&client->peer, next_line(&rest));
    if (client->is_secure || !client->peer.starttls ||
        client->settings.tls == SMTP_CLIENT_TLS_NEVER || client->tls_was_refused)
        return go_on(client);
    client->state = CLIENT_AWAITS_STARTTLS;
    client_say(client, "STARTTLS");
    return SMTP_CLIENT_MORE;
}

enum smtp_client_step client_on_helo(struct smtp_client *client)
{
    struct slice rest = client->reply.text;

    if (!smtp_reply_is_positive(client->reply))
        return client->reply.code < 400 ? client_protocol_error(client, "odd reply to HELO")
                                        : client_fail_session(client);
    read_name(&client->peer, next_line(&rest));
    return go_on(client);
}

enum smtp_client_step client_on_starttls(struct smtp_client *client)
{
    if (client->reply.code == 220) {
        client->state = CLIENT_IN_HANDSHAKE;
        return SMTP_CLIENT_START_TLS;
    }
    if (client->reply.code < 400)
        return client_protocol_error(client, "odd reply to STARTTLS");
    client->tls_was_refused = true;
    return client->settings.tls == SMTP_CLIENT_TLS_MUST ? client_fail_session(client)
                                                        : go_on(client);
}

/* All that was said in clear is forgotten, EHLO too (RFC 3207 4.2). */
void smtp_client_tls_started(struct smtp_client *client)
{
    assert(client->state == CLIENT_IN_HANDSHAKE);
    client->is_secure = true;
    say_ehlo(client);
    client->phase = SMTP_PHASE_EHLO;
}

static enum smtp_client_step answer_challenge(struct smtp_client *client)
{
    switch (client->auth_step) {
    case PLAIN_RESPONSE: /* some servers overlook the initial response */
        say_plain(client, "");
        client->auth_step = NOTHING_LEFT;
        return SMTP_CLIENT_MORE;
    case LOGIN_USER:
        say_response(client, "", client->settings.user);
        client->auth_step = LOGIN_PASSWORD;
        return SMTP_CLIENT_MORE;
    case LOGIN_PASSWORD:
        say_response(client, "", client->settings.password);
        client->auth_step = NOTHING_LEFT;
        return SMTP_CLIENT_MORE;
    default:
        return client_protocol_error(client, "endless AUTH");
    }
}

enum smtp_client_step client_on_auth(struct smtp_client *client)
{
    if (client->reply.code == 334)
        return answer_challenge(client);
    if (smtp_reply_is_positive(client->reply))
        return become_ready(client);
    return client->reply.code < 400 ? client_protocol_error(client, "odd reply to AUTH")
                                    : client_fail_session(client);
}
