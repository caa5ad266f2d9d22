#include "relay/smtp/server_internal.h"

#define IN(state) (1U << (state))
enum {
    ANY_STATE = ~0U >> 1,
    GREETED_STATES = ANY_STATE & ~IN(SMTP_CONNECTED),
};

enum verb_flags {
    TAKES_ARGUMENTS = 1,
    TAKES_UTF8 = 2, /* RFC 6531 3.3, 3.7.4: addresses may hold it */
};

struct verb {
    struct slice name;
    unsigned legal_in;
    unsigned flags;
    enum smtp_step (*run)(struct smtp_server *server, struct slice arguments);
};

static void print_extensions(struct smtp_server *server)
{
    const struct smtp_server_settings *settings = &server->settings;
    struct buffer *out = &server->output;

    buffer_printf(out, "250-%.*s\r\n", (int)settings->hostname.len, settings->hostname.data);
    buffer_append_text(out, "250-PIPELINING\r\n");
    buffer_printf(out, "250-SIZE %llu\r\n", (unsigned long long)settings->size_limit);
    buffer_append_text(out, "250-8BITMIME\r\n"
                            "250-SMTPUTF8\r\n"
                            "250-DSN\r\n"
                            "250-CHUNKING\r\n"
                            "250-MT-PRIORITY\r\n"
                            "250-ENHANCEDSTATUSCODES\r\n");
    if (settings->offers_starttls && !settings->is_tls)
        buffer_append_text(out, "250-STARTTLS\r\n");
    if (smtp_may_auth(server))
        buffer_append_text(out, "250-AUTH PLAIN LOGIN\r\n");
    /* No MAILMAX: a connection may carry any number of messages. */
    buffer_printf(out, "250 LIMITS RCPTMAX=%u\r\n", settings->max_recipients);
}

/* The name is not checked: half the world's clients give one that is none. */
static enum smtp_step greet_client(struct smtp_server *server, struct slice arguments,
                                   bool is_esmtp)
{
    enum smtp_step step;

    if (arguments.len == 0 || slice_find(arguments, ' ') >= 0)
        return smtp_answer_error(server, SMTP_REPLY(501, 5, 5, 4, "Give your host name"));
    step = smtp_end_transaction(server);
    (void)slice_copy_to(arguments, server->helo, sizeof(server->helo));
    server->state = SMTP_GREETED;
    server->is_esmtp = is_esmtp;
    if (is_esmtp)
        print_extensions(server);
    else
        (void)smtp_answer(server,
                          smtp_reply_with(250, SMTP_STATUS(0, 0, 0), server->settings.hostname));
    return step;
}

static enum smtp_step on_ehlo(struct smtp_server *server, struct slice arguments)
{
    return greet_client(server, arguments, true);
}

static enum smtp_step on_helo(struct smtp_server *server, struct slice arguments)
{
    return greet_client(server, arguments, false);
}

static enum smtp_step on_starttls(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    if (server->settings.is_tls)
        return smtp_answer_error(server, SMTP_REPLY(503, 5, 5, 1, "TLS is already active"));
    if (!server->settings.offers_starttls)
        return smtp_answer_error(server, SMTP_REPLY(502, 5, 5, 1, "STARTTLS is not offered"));
    (void)smtp_answer(server, SMTP_REPLY(220, 2, 0, 0, "Ready to start TLS"));
    (void)smtp_end_transaction(server);
    server->mode = MODE_TLS;
    return SMTP_STEP_START_TLS;
}

static enum smtp_step on_rset(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    (void)smtp_answer(server, SMTP_REPLY(250, 2, 0, 0, "Ok"));
    return smtp_end_transaction(server);
}

static enum smtp_step on_noop(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    return smtp_answer(server, SMTP_REPLY(250, 2, 0, 0, "Ok"));
}

static enum smtp_step on_vrfy(struct smtp_server *server, struct slice arguments)
{
    if (arguments.len == 0)
        return smtp_answer_error(server, SMTP_REPLY(501, 5, 5, 4, "Syntax: VRFY address"));
    return smtp_answer(server, SMTP_REPLY(252, 2, 0, 0, "Not verified; send mail to it and see"));
}

/* Known commands that this server does not have: EXPN tells lists, ETRN and TURN move queues. */
static enum smtp_step on_unimplemented(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    return smtp_answer_error(server, SMTP_REPLY(502, 5, 5, 1, "Command not implemented"));
}

static enum smtp_step on_help(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    return smtp_answer(server,
                       SMTP_REPLY(214, 2, 0, 0,
                                  "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY "
                                  "HELP QUIT"));
}

static enum smtp_step on_quit(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    return smtp_close_with(server, SMTP_REPLY(221, 2, 0, 0, "Bye"));
}

/* A web page can make a browser send us a request whose body is commands (ALPACA,
 * CVE-2021-3618): not one line more is read. */
static enum smtp_step on_http(struct smtp_server *server, struct slice arguments)
{
    (void)arguments;
    return smtp_close_with(server, SMTP_REPLY(421, 4, 7, 0, "This is SMTP, not HTTP; closing"));
}

static const struct verb verbs[] = {
    {SLICE_LITERAL("EHLO"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_ehlo         },
    {SLICE_LITERAL("HELO"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_helo         },
    {SLICE_LITERAL("STARTTLS"),        IN(SMTP_GREETED),                                                0,                            on_starttls     },
    {SLICE_LITERAL("AUTH"),            IN(SMTP_GREETED),                                                TAKES_ARGUMENTS,              smtp_on_auth    },
 /* MAIL after only refused recipients starts anew: list software relies on it. */
    {SLICE_LITERAL("MAIL"),            IN(SMTP_GREETED) | IN(SMTP_HAS_SENDER) | IN(SMTP_CHUNKS_FAILED),
     TAKES_ARGUMENTS | TAKES_UTF8,                                                                                                    smtp_on_mail    },
    {SLICE_LITERAL("RCPT"),            IN(SMTP_HAS_SENDER) | IN(SMTP_HAS_RECIPIENT),
     TAKES_ARGUMENTS | TAKES_UTF8,                                                                                                    smtp_on_rcpt    },
    {SLICE_LITERAL("DATA"),            IN(SMTP_HAS_SENDER) | IN(SMTP_HAS_RECIPIENT),                    0,                            smtp_on_data    },
 /* In any state: its octets have to be got out of the way. */
    {SLICE_LITERAL("BDAT"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              smtp_on_bdat    },
    {SLICE_LITERAL("RSET"),            ANY_STATE,                                                       0,                            on_rset         },
    {SLICE_LITERAL("NOOP"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_noop         },
    {SLICE_LITERAL("VRFY"),            ANY_STATE,                                                       TAKES_ARGUMENTS | TAKES_UTF8, on_vrfy         },
    {SLICE_LITERAL("HELP"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_help         },
    {SLICE_LITERAL("QUIT"),            ANY_STATE,                                                       0,                            on_quit         },
    {SLICE_LITERAL("EXPN"),            ANY_STATE,                                                       TAKES_ARGUMENTS | TAKES_UTF8, on_unimplemented},
    {SLICE_LITERAL("ETRN"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_unimplemented},
    {SLICE_LITERAL("TURN"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_unimplemented},
    {SLICE_LITERAL("SEND"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_unimplemented},
    {SLICE_LITERAL("SOML"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_unimplemented},
    {SLICE_LITERAL("SAML"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_unimplemented},
    {SLICE_LITERAL("GET"),             ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("POST"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("HEAD"),            ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("PUT"),             ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("PATCH"),           ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("DELETE"),          ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("OPTIONS"),         ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("TRACE"),           ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("CONNECT"),         ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("PRI"),             ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         }, /* HTTP/2's preface */
    {SLICE_LITERAL("Host:"),           ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("User-Agent:"),     ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("Content-Length:"), ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
    {SLICE_LITERAL("Content-Type:"),   ANY_STATE,                                                       TAKES_ARGUMENTS,              on_http         },
};

static const struct verb *find_verb(struct slice name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (slice_equal_ignoring_case(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static enum smtp_step out_of_sequence(struct smtp_server *server, const struct verb *verb)
{
    if (server->state == SMTP_CONNECTED)
        return smtp_answer_error(server, SMTP_REPLY(503, 5, 5, 1, "Send EHLO first"));
    if (verb->legal_in & IN(SMTP_HAS_SENDER) && !smtp_is_in_transaction(server))
        return smtp_answer_error(server, SMTP_REPLY(503, 5, 5, 1, "Send MAIL first"));
    return smtp_answer_error(server, SMTP_REPLY(503, 5, 5, 1, "Bad sequence of commands"));
}

static enum smtp_step run_verb(struct smtp_server *server, const struct verb *verb,
                               struct slice arguments, enum command_bytes bytes)
{
    if (bytes == COMMAND_BYTES_EIGHT_BIT && !(verb->flags & TAKES_UTF8))
        return smtp_answer_error(server, SMTP_REPLY(500, 5, 5, 2, "Only ASCII is allowed here"));
    if (!(verb->legal_in & IN(server->state)))
        return out_of_sequence(server, verb);
    if (arguments.len && !(verb->flags & TAKES_ARGUMENTS))
        return smtp_answer_error(server, SMTP_REPLY(501, 5, 5, 4, "No arguments are allowed"));
    return verb->run(server, arguments);
}

static enum smtp_step run_line(struct smtp_server *server, struct slice line)
{
    enum command_bytes bytes = command_line_check(line);
    const struct verb *verb;
    struct slice rest = line;

    if (bytes == COMMAND_BYTES_CONTROL)
        return smtp_answer_error(server,
                                 SMTP_REPLY(500, 5, 5, 2, "Control characters are not allowed"));
    verb = slice_starts_with(line, SLICE_LITERAL(" ")) ? NULL : find_verb(command_line_word(&rest));
    if (!verb)
        return smtp_answer_error(server, SMTP_REPLY(500, 5, 5, 2, "Unknown command"));
    return run_verb(server, verb, slice_trim(rest), bytes);
}

enum smtp_step smtp_read_command(struct smtp_server *server, struct slice *input)
{
    struct slice line;

    switch (command_line_read(&server->lines, input, COMMAND_LINE_MAX, &line)) {
    case COMMAND_LINE_READY:
        return run_line(server, line);
    case COMMAND_LINE_TOO_LONG:
        return smtp_answer_error(server, SMTP_REPLY(500, 5, 5, 2, "Line too long"));
    case COMMAND_LINE_BARE_LF:
        return smtp_answer_error(server, SMTP_REPLY(500, 5, 5, 2, "Lines end with CR LF"));
    case COMMAND_LINE_NO_MEMORY:
        return smtp_close_with(server, SMTP_REPLY(421, 4, 3, 0, "Out of memory, closing"));
    case COMMAND_LINE_MORE:
        break;
    }
    return SMTP_STEP_MORE;
}
