#include "relay/smtp/base64.h"
#include "relay/smtp/server_internal.h"

#include "relay/base/secret.h"

enum { USER_MAX = 255, PASSWORD_MAX = 1024 };

/* What the next line of the exchange is. */
enum auth_stage { AUTH_PLAIN, AUTH_LOGIN_USER, AUTH_LOGIN_PASSWORD };

struct mechanism {
    struct slice name;
    enum auth_stage first_stage;
    const char *prompt; /* base64; RFC 4616 has none, LOGIN was never written down */
};

static const char password_prompt[] = "UGFzc3dvcmQ6"; /* Password: */
static const struct mechanism mechanisms[] = {
    {SLICE_LITERAL("PLAIN"), AUTH_PLAIN,      ""            },
    {SLICE_LITERAL("LOGIN"), AUTH_LOGIN_USER, "VXNlcm5hbWU6"}, /* Username: */
};

static void free_wiped(char *memory, size_t len)
{
    if (memory)
        secret_wipe(memory, len);
    free(memory);
}

void smtp_forget_secret(struct smtp_server *server)
{
    free_wiped(server->secret, server->secret_len);
    server->secret = NULL;
    server->secret_len = 0;
    server->login = (struct smtp_login){0};
}

static enum smtp_step end_exchange(struct smtp_server *server, struct smtp_reply reply)
{
    server->mode = MODE_COMMANDS;
    smtp_forget_secret(server);
    return smtp_answer_error(server, reply);
}

static enum smtp_step malformed(struct smtp_server *server)
{
    return end_exchange(server, SMTP_REPLY(501, 5, 5, 2, "Malformed authentication data"));
}

static enum smtp_step prompt(struct smtp_server *server, enum auth_stage stage, const char *text)
{
    server->mode = MODE_AUTH;
    server->auth_stage = stage;
    return smtp_answer(server, smtp_reply_with(334, SMTP_STATUS(0, 0, 0), slice_of(text)));
}

/* Puts the octets of a response behind those kept; false when it is not base64 (or no memory). */
static bool keep_decoded(struct smtp_server *server, struct slice response)
{
    size_t room = base64_decoded_size(response.len), len;
    char *secret = malloc(server->secret_len + room + 1);

    if (!secret)
        return false;
    if (!base64_decode(response, secret + server->secret_len, &len)) {
        free_wiped(secret, server->secret_len + room);
        return false;
    }
    if (server->secret)
        memcpy(secret, server->secret, server->secret_len);
    free_wiped(server->secret, server->secret_len);
    server->secret = secret;
    server->secret_len += len;
    return true;
}

static enum smtp_step check_login(struct smtp_server *server, struct slice user,
                                  struct slice password)
{
    if (user.len == 0 || user.len > USER_MAX || password.len == 0 || password.len > PASSWORD_MAX)
        return end_exchange(server, SMTP_BAD_LOGIN);
    server->mode = MODE_COMMANDS;
    server->login = (struct smtp_login){user, password};
    return smtp_ask(server, SMTP_STEP_AUTHENTICATE);
}

/* message = [authzid] NUL authcid NUL passwd   (RFC 4616 2) */
static enum smtp_step plain_response(struct smtp_server *server)
{
    struct slice message = slice_from(server->secret, server->secret_len);
    struct slice authzid, user, password;
    ptrdiff_t nul = slice_find(message, '\0');

    if (nul < 0)
        return malformed(server);
    authzid = slice_head(message, (size_t)nul);
    user = slice_skip(message, authzid.len + 1);
    nul = slice_find(user, '\0');
    if (nul < 0)
        return malformed(server);
    password = slice_skip(user, (size_t)nul + 1);
    user = slice_head(user, (size_t)nul);
    if (slice_find(password, '\0') >= 0)
        return malformed(server);
    if (authzid.len && !slice_equal(authzid, user)) /* nobody acts for somebody else */
        return end_exchange(server, SMTP_BAD_LOGIN);
    return check_login(server, user, password);
}

static enum smtp_step login_user(struct smtp_server *server)
{
    server->login.user = slice_from(server->secret, server->secret_len);
    if (slice_find(server->login.user, '\0') >= 0)
        return malformed(server);
    return prompt(server, AUTH_LOGIN_PASSWORD, password_prompt);
}

static enum smtp_step login_password(struct smtp_server *server)
{
    struct slice both = slice_from(server->secret, server->secret_len);
    size_t user_len = server->login.user.len; /* its bytes have moved */

    if (slice_find(both, '\0') >= 0)
        return malformed(server);
    return check_login(server, slice_head(both, user_len), slice_skip(both, user_len));
}

static enum smtp_step on_response(struct smtp_server *server, struct slice response)
{
    static enum smtp_step (*const stages[])(struct smtp_server *) = {
        [AUTH_PLAIN] = plain_response,
        [AUTH_LOGIN_USER] = login_user,
        [AUTH_LOGIN_PASSWORD] = login_password,
    };

    if (slice_equal(response, SLICE_LITERAL("*")))
        return end_exchange(server, SMTP_REPLY(501, 5, 7, 0, "Authentication cancelled"));
    if (!keep_decoded(server, response))
        return malformed(server);
    return stages[server->auth_stage](server);
}

enum smtp_step smtp_read_auth(struct smtp_server *server, struct slice *input)
{
    struct slice line;
    enum smtp_step step = SMTP_STEP_MORE;

    switch (command_line_read(&server->lines, input, COMMAND_AUTH_LINE_MAX, &line)) {
    case COMMAND_LINE_READY:
        step = on_response(server, line);
        command_line_reader_wipe(&server->lines);
        break;
    case COMMAND_LINE_TOO_LONG:
        return end_exchange(server, SMTP_REPLY(500, 5, 5, 6, "Line too long"));
    case COMMAND_LINE_BARE_LF:
        return end_exchange(server, SMTP_REPLY(500, 5, 5, 2, "Lines end with CR LF"));
    case COMMAND_LINE_NO_MEMORY:
        return smtp_close_with(server, SMTP_REPLY(421, 4, 3, 0, "Out of memory, closing"));
    case COMMAND_LINE_MORE:
        break;
    }
    return step;
}

static const struct mechanism *find_mechanism(struct slice name)
{
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
        if (slice_equal_ignoring_case(mechanisms[i].name, name))
            return &mechanisms[i];
    return NULL;
}

/* Before TLS every mechanism is refused alike: the remedy is TLS. */
static const struct smtp_reply *find_objection(const struct smtp_server *server,
                                               struct slice arguments)
{
    static const struct smtp_reply not_offered =
        SMTP_REPLY(502, 5, 5, 1, "AUTH is not offered here");
    static const struct smtp_reply again = SMTP_REPLY(503, 5, 5, 1, "Already authenticated");
    static const struct smtp_reply needs_tls =
        SMTP_REPLY(538, 5, 7, 11, "Encryption is required, use TLS first");
    static const struct smtp_reply no_mechanism =
        SMTP_REPLY(501, 5, 5, 4, "Syntax: AUTH mechanism");

    if (server->settings.bounces_only)
        return &not_offered;
    if (server->is_logged_in)
        return &again;
    if (!smtp_may_auth(server))
        return &needs_tls;
    return arguments.len ? NULL : &no_mechanism;
}

enum smtp_step smtp_on_auth(struct smtp_server *server, struct slice arguments)
{
    const struct smtp_reply *objection = find_objection(server, arguments);
    struct slice name = command_line_word(&arguments);
    const struct mechanism *mechanism = find_mechanism(name);
    enum smtp_step step;

    if (objection)
        return smtp_answer_error(server, *objection);
    if (!mechanism) /* CRAM-MD5 stored by an old Thunderbird: its user can do what this says */
        return smtp_answer_error(
            server,
            SMTP_REPLY(504, 5, 5, 4, "Use PLAIN or LOGIN over TLS (set \"Normal password\")"));
    if (arguments.len == 0)
        return prompt(server, mechanism->first_stage, mechanism->prompt);
    server->auth_stage = mechanism->first_stage;
    if (slice_equal(arguments, SLICE_LITERAL("="))) /* RFC 4954 4: an empty initial response */
        arguments.len = 0;
    step = on_response(server, arguments);
    command_line_reader_wipe(&server->lines);
    return step;
}

void smtp_login_decided(struct smtp_server *server, struct smtp_reply reply)
{
    smtp_forget_secret(server);
    server->is_logged_in = smtp_reply_is_positive(reply);
    if (smtp_reply_is_permanent(reply))
        (void)smtp_answer_error(server, reply);
    else
        (void)smtp_answer(server, reply);
}
