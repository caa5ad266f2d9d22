/* Conversations as rows.  Each runs twice, the server's bytes whole and one at a time, and must
 * give the same commands and the same steps. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/smtp/client_session.h"

struct row {
    char kind; /* S: the server says, C: we said since, E: steps since, L: lost, Q: quit */
    const char *text;
};

struct conversation {
    struct smtp_client_settings settings;
    const struct smtp_transaction *mails[3];
    const char *body; /* NULL: "Hi\r\n" */
    struct row rows[40];
};

static struct smtp_client client;
static struct buffer commands, steps;
static const struct conversation *now;
static unsigned n_sent;

static void note_reply(const char *step)
{
    buffer_printf(&steps, "%s %s %u", step, smtp_phase_name(client.phase), client.reply.code);
    if (client.is_doubtful)
        buffer_append_text(&steps, " doubtful");
    if (client.is_protocol_error)
        buffer_append_text(&steps, " protocol");
    buffer_append_text(&steps, "\n");
}

static void on_ready(void)
{
    const struct smtp_transaction *mail = n_sent < 3 ? now->mails[n_sent] : NULL;

    buffer_append_text(&steps, "ready\n");
    if (mail) {
        n_sent++;
        if (smtp_client_send(&client, mail) == SMTP_CLIENT_UNSENDABLE)
            buffer_append_text(&steps, "unsendable\n");
    }
}

static void on_send_body(void)
{
    struct slice body = slice_of(now->body ? now->body : "Hi\r\n");

    buffer_printf(&steps, "body %u\n", client.n_accepted);
    if (smtp_client_body(&client, body) == 0 && smtp_client_body_end(&client) == 0)
        return;
    buffer_append_text(&steps, "unclean\n");
}

static void note_step(enum smtp_client_step step)
{
    switch (step) {
    case SMTP_CLIENT_MORE:
        break;
    case SMTP_CLIENT_START_TLS:
        buffer_append_text(&steps, "tls\n");
        smtp_client_tls_started(&client);
        break;
    case SMTP_CLIENT_READY:
        on_ready();
        break;
    case SMTP_CLIENT_RECIPIENT_REPLIED:
        buffer_printf(&steps, "rcpt %u %u\n", client.recipient_index, client.reply.code);
        break;
    case SMTP_CLIENT_SEND_BODY:
        on_send_body();
        break;
    case SMTP_CLIENT_MESSAGE_REPLIED:
        note_reply("message");
        break;
    case SMTP_CLIENT_NO_RECIPIENT:
        buffer_append_text(&steps, "nobody\n");
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

static enum smtp_client_step feed(struct slice input)
{
    enum smtp_client_step step;

    do {
        step = smtp_client_feed(&client, &input);
        note_step(step);
        buffer_append(&commands, buffer_slice(smtp_client_output(&client)));
        buffer_clear(smtp_client_output(&client));
    } while (step != SMTP_CLIENT_MORE && step != SMTP_CLIENT_CLOSED);
    return step;
}

static void say(struct slice input, size_t piece)
{
    while (input.len) {
        struct slice part = slice_head(input, piece);

        if (feed(part) == SMTP_CLIENT_CLOSED)
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
        expect(&commands, row->text);
        break;
    case 'E':
        expect(&steps, row->text);
        break;
    case 'L':
        note_step(smtp_client_lost(&client, row->text));
        break;
    default:
        assert_true(smtp_client_quit(&client));
        feed((struct slice){0});
    }
}

static void play(const struct conversation *conversation)
{
    static const size_t pieces[] = {SIZE_MAX, 1};

    now = conversation;
    for (size_t i = 0; i < 2; i++) {
        n_sent = 0;
        buffer_clear(&commands);
        buffer_clear(&steps);
        smtp_client_init(&client, &conversation->settings);
        for (const struct row *row = conversation->rows; row->kind; row++)
            play_row(row, pieces[i]);
        smtp_client_fini(&client);
    }
}

/* clang-format 14 falls over rows of unequal length made by macros. */
/* clang-format off */
#define ME .ehlo_name = SLICE_LITERAL("me.example")

static const struct smtp_client_recipient two[] = {{.address = SLICE_LITERAL("a@x.org")},
                                                   {.address = SLICE_LITERAL("b@x.org")}};
static const struct smtp_transaction plain_mail = {.sender = SLICE_LITERAL("s@y.org"),
                                                   .size = 4,
                                                   .recipients = two,
                                                   .n_recipients = 2};

/* Up to the first READY, with and without PIPELINING. */
#define GREET_PIPELINING                                                                           \
    {'S', "220 x\r\n"}, {'C', "EHLO me.example\r\n"}, {'S', "250-x\r\n250 PIPELINING\r\n"}
#define GREET_PLAIN {'S', "220 x\r\n"}, {'C', "EHLO me.example\r\n"}, {'S', "250 x\r\n"}
#define GROUP                                                                                      \
    {'C', "MAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n"}

static void a_transaction_is_pipelined_where_offered(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PIPELINING,
                 {'E', "ready\n"},
                 GROUP,
                 {'S', "250 2.1.0 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                 {'E', "rcpt 0 250\nrcpt 1 250\nbody 2\n"},
                 {'C', "Hi\r\n.\r\n"},
                 {'S', "250 2.0.0 taken\r\n"},
                 {'E', "message dot 250\nready\n"},
                 {'Q', ""},
                 {'C', "QUIT\r\n"},
                 {'S', "221 bye\r\n"},
                 {'E', "closed quit 221\n"}}};

    (void)state;
    play(&conversation);
}

static void without_pipelining_each_command_waits(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PLAIN,
                 {'C', "MAIL FROM:<s@y.org>\r\n"},
                 {'S', "250 ok\r\n"},
                 {'C', "RCPT TO:<a@x.org>\r\n"},
                 {'S', "251 forwarded\r\n"},
                 {'C', "RCPT TO:<b@x.org>\r\n"},
                 {'S', "550 5.1.1 no\r\n"},
                 {'C', "DATA\r\n"},
                 {'S', "354 go\r\n"},
                 {'C', "Hi\r\n.\r\n"},
                 {'S', "250 ok\r\n"},
                 {'E', "ready\nrcpt 0 251\nrcpt 1 550\nbody 1\nmessage dot 250\nready\n"}}};

    (void)state;
    play(&conversation);
}

static void several_messages_use_one_connection(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 GROUP,
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                 {'C', "Hi\r\n.\r\n"},
                 {'S', "451 later\r\n"},
                 GROUP,
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                 {'C', "Hi\r\n.\r\n"},
                 {'S', "250 ok\r\n"},
                 {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nmessage dot 451\n"
                       "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nmessage dot 250\nready\n"}}};

    (void)state;
    play(&conversation);
}

static void parameters_are_said_only_to_a_peer_that_offers_them(void **state)
{
    static const struct smtp_client_recipient rich[] = {
        {.address = SLICE_LITERAL("a@x.org"),
         .orcpt = SLICE_LITERAL("rfc822;a@x.org"),
         .notify = SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_DELAY},
        {.address = SLICE_LITERAL("\"b>c\"@x.org"),
         .orcpt = SLICE_LITERAL("rfc822;b c"), /* no xtext: left out */
         .notify = SMTP_NOTIFY_NEVER}};
    static const struct smtp_transaction mail = {.envid = SLICE_LITERAL("QQ+2B1"),
                                                 .ret = SMTP_RET_HDRS,
                                                 .size = 1234,
                                                 .recipients = rich,
                                                 .n_recipients = 2};
    static const struct smtp_transaction eight = {.size = 1234,
                                                  .is_eight_bit = true,
                                                  .is_smtputf8 = true,
                                                  .ret = SMTP_RET_FULL,
                                                  .recipients = rich,
                                                  .n_recipients = 1};
    static const struct conversation offered = {
        .settings = {ME},
        .mails = {&mail},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "250-x hi\r\n250-size 1000000\r\n250-8bitmime\r\n250-DSN\r\n250-SMTPUTF8\r\n"
                       "250 pipelining\r\n"},
                 {'C', "MAIL FROM:<> SIZE=1234 RET=HDRS ENVID=QQ+2B1\r\n"
                       "RCPT TO:<a@x.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@x.org\r\n"
                       "RCPT TO:<\"b>c\"@x.org> NOTIFY=NEVER\r\nDATA\r\n"}}};
    static const struct conversation not_offered = {
        .settings = {ME},
        .mails = {&mail},
        .rows = {GREET_PIPELINING,
                 {'C', "MAIL FROM:<>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<\"b>c\"@x.org>\r\nDATA\r\n"}}};
    static const struct conversation eight_offered = {
        .settings = {ME},
        .mails = {&eight},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "250-x\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN\r\n"},
                 {'C', "MAIL FROM:<> BODY=8BITMIME SMTPUTF8 RET=FULL\r\n"}}};
    static const struct conversation eight_not_offered = {
        .settings = {ME},
        .mails = {&eight},
        .rows = {GREET_PIPELINING, {'E', "ready\nunsendable\n"}, {'C', ""}}};

    (void)state;
    play(&offered);
    play(&not_offered);
    play(&eight_offered);
    play(&eight_not_offered);
}

static void an_address_that_could_forge_a_command_is_not_said(void **state)
{
    static const char *const addresses[] = {
        "a@x.org>\r\nDATA", "a@x.org> X=1",   "a\x01@x.org", "\"a\n\"@x.org", "a b@x.org",
        "\"a@x.org",        "caff\xc3\xa8@x", "",            "\"a\\\"@x.org> ORCPT=x"};

    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        struct smtp_client_recipient one = {.address = slice_of(addresses[i])};
        struct smtp_transaction mail = {.recipients = &one, .n_recipients = 1};
        struct conversation conversation = {
            .settings = {ME},
            .mails = {&mail},
            .rows = {GREET_PIPELINING, {'E', "ready\nunsendable\n"}, {'C', ""}}};

        play(&conversation);
    }
}

static void helo_follows_only_a_permanent_refusal_of_ehlo(void **state)
{
    static const struct conversation permanent = {
        .settings = {ME},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "502 5.5.1 what\r\n"},
                 {'C', "HELO me.example\r\n"},
                 {'S', "250 x\r\n"},
                 {'E', "ready\n"}}};
    static const struct conversation temporary = {
        .settings = {ME},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "451 later\r\n"},
                 {'E', "session ehlo 451\n"},
                 {'Q', ""},
                 {'C', "QUIT\r\n"},
                 {'S', "221 bye\r\n"},
                 {'E', "closed quit 221\n"}}};
    static const struct conversation both_refused = {
        .settings = {ME},
        .rows = {{'S', "220 x\r\n500 no\r\n550 no\r\n"}, {'E', "session ehlo 550\n"}}};

    (void)state;
    play(&permanent);
    play(&temporary);
    play(&both_refused);
}

static void a_refusing_banner_fails_the_session(void **state)
{
    static const struct conversation refused = {
        .settings = {ME}, .rows = {{'S', "554 go away\r\n"}, {'E', "session banner 554\n"}}};
    static const struct conversation too_busy = {
        .settings = {ME},
        .rows = {{'S', "421 4.7.0 busy\r\n"}, {'E', "session banner 421\nclosed banner 421\n"}}};

    (void)state;
    play(&refused);
    play(&too_busy);
}

#define OFFER_TLS {'S', "220 x\r\n"}, {'C', "EHLO me.example\r\n"}, {'S', "250-x\r\n250 STARTTLS\r\n"}

static void tls_starts_where_offered_and_ehlo_is_said_again(void **state)
{
    static const struct conversation taken = {
        .settings = {ME, .tls = SMTP_CLIENT_TLS_MAY},
        .mails = {&plain_mail},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "250-x\r\n250-PIPELINING\r\n250 STARTTLS\r\n"},
                 {'C', "STARTTLS\r\n"},
                 {'S', "220 go\r\n"},
                 {'E', "tls\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "250-x\r\n250 STARTTLS\r\n"},
                 {'C', "MAIL FROM:<s@y.org>\r\n"}, /* pipelining was forgotten */
                 {'E', "ready\n"}}};
    static const struct conversation unwanted = {
        .settings = {ME, .tls = SMTP_CLIENT_TLS_NEVER}, .rows = {OFFER_TLS, {'E', "ready\n"}}};

    (void)state;
    play(&taken);
    play(&unwanted);
}

static void refused_tls_goes_on_in_clear_only_when_allowed(void **state)
{
    static const struct conversation may = {
        .settings = {ME, .tls = SMTP_CLIENT_TLS_MAY},
        .rows = {OFFER_TLS, {'C', "STARTTLS\r\n"}, {'S', "454 4.7.0 no\r\n"}, {'E', "ready\n"}}};
    static const struct conversation must = {.settings = {ME, .tls = SMTP_CLIENT_TLS_MUST},
                                             .rows = {OFFER_TLS,
                                                      {'C', "STARTTLS\r\n"},
                                                      {'S', "454 4.7.0 no\r\n"},
                                                      {'E', "session starttls 454\n"}}};
    static const struct conversation not_offered = {
        .settings = {ME, .tls = SMTP_CLIENT_TLS_MUST},
        .rows = {GREET_PLAIN, {'E', "session starttls 451\n"}, {'C', ""}}};

    (void)state;
    play(&may);
    play(&must);
    play(&not_offered);
}

static void input_behind_starttls_ends_the_session(void **state)
{
    struct slice injected = SLICE_LITERAL("220 go\r\n250 x\r\n");

    (void)state;
    now = &(struct conversation){.settings = {ME, .tls = SMTP_CLIENT_TLS_MAY}};
    smtp_client_init(&client, &now->settings);
    feed(SLICE_LITERAL("220 x\r\n250-x\r\n250 STARTTLS\r\n"));
    buffer_clear(&steps);
    feed(injected);
    expect(&steps, "session starttls 451 protocol\nclosed starttls 451 protocol\n");
    smtp_client_fini(&client);
}

#define TO_SMART_HOST                                                                              \
    ME, .is_secure = true, .user = SLICE_LITERAL("user"), .password = SLICE_LITERAL("pass")

static void a_smart_host_gets_plain_or_login(void **state)
{
    static const struct conversation plain = {
        .settings = {TO_SMART_HOST},
        .rows = {{'S', "220 x\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'S', "250-x\r\n250 AUTH LOGIN PLAIN\r\n"},
                 {'C', "AUTH PLAIN AHVzZXIAcGFzcw==\r\n"},
                 {'S', "235 2.7.0 in\r\n"},
                 {'E', "ready\n"}}};
    static const struct conversation plain_asked_again = {
        .settings = {TO_SMART_HOST},
        .rows = {{'S', "220 x\r\n250-x\r\n250 AUTH PLAIN\r\n334 \r\n"},
                 {'C', "EHLO me.example\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nAHVzZXIAcGFzcw==\r\n"},
                 {'S', "535 5.7.8 no\r\n"},
                 {'E', "session auth 535\n"}}};
    static const struct conversation login = {
        .settings = {TO_SMART_HOST},
        .rows = {{'S', "220 x\r\n250-x\r\n250 AUTH=LOGIN\r\n"},
                 {'C', "EHLO me.example\r\nAUTH LOGIN\r\n"},
                 {'S', "334 VXNlcm5hbWU6\r\n"},
                 {'C', "dXNlcg==\r\n"},
                 {'S', "334 UGFzc3dvcmQ6\r\n"},
                 {'C', "cGFzcw==\r\n"},
                 {'S', "235 in\r\n"},
                 {'E', "ready\n"}}};

    (void)state;
    play(&plain);
    play(&plain_asked_again);
    play(&login);
}

static void a_password_never_leaves_in_clear_unless_told(void **state)
{
    static const struct conversation clear = {
        .settings = {ME, .user = SLICE_LITERAL("u"), .password = SLICE_LITERAL("p")},
        .rows = {{'S', "220 x\r\n250-x\r\n250 AUTH PLAIN\r\n"},
                 {'C', "EHLO me.example\r\n"},
                 {'E', "session auth 451\n"}}};
    static const struct conversation allowed = {
        .settings = {ME, .user = SLICE_LITERAL("u"), .password = SLICE_LITERAL("p"),
                     .auth_in_clear = true},
        .rows = {{'S', "220 x\r\n250-x\r\n250 AUTH PLAIN\r\n"},
                 {'C', "EHLO me.example\r\nAUTH PLAIN AHUAcA==\r\n"}}};
    static const struct conversation no_mechanism = {
        .settings = {TO_SMART_HOST},
        .rows = {{'S', "220 x\r\n250-x\r\n250 AUTH CRAM-MD5\r\n"}, {'E', "session auth 451\n"}}};

    (void)state;
    play(&clear);
    play(&allowed);
    play(&no_mechanism);
}

static void a_refused_sender_fails_the_transaction_and_the_session_goes_on(void **state)
{
    static const struct conversation pipelined = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 GROUP,
                 {'S', "550 5.1.8 no\r\n"},
                 {'E', "ready\nfailed mail 550\n"},
                 {'C', ""},
                 {'S', "503 what\r\n503 what\r\n503 what\r\n"},
                 {'E', "ready\n"},
                 GROUP}};
    static const struct conversation one_by_one = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PLAIN,
                 {'C', "MAIL FROM:<s@y.org>\r\n"},
                 {'S', "450 later\r\n"},
                 {'E', "ready\nfailed mail 450\nready\n"},
                 {'C', ""}}};

    (void)state;
    play(&pipelined);
    play(&one_by_one);
}

static void when_nobody_is_accepted_a_354_gets_a_lone_dot(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 GROUP,
                 {'S', "250 ok\r\n550 no\r\n450 no\r\n354 go\r\n"},
                 {'E', "ready\nrcpt 0 550\nrcpt 1 450\nnobody\n"},
                 {'C', ".\r\n"},
                 {'S', "554 no recipients\r\n"},
                 {'E', "ready\n"},
                 GROUP}};

    (void)state;
    play(&conversation);
}

static void after_refused_recipients_the_next_transaction_begins_with_rset(void **state)
{
    static const struct conversation pipelined = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 GROUP,
                 {'S', "250 ok\r\n550 no\r\n550 no\r\n503 no recipients\r\n"},
                 {'E', "ready\nrcpt 0 550\nrcpt 1 550\nnobody\nready\n"},
                 {'C', "RSET\r\nMAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\n"
                       "DATA\r\n"},
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"},
                 {'E', "rcpt 0 250\nrcpt 1 250\nbody 2\nmessage dot 250\nready\n"}}};
    static const struct conversation one_by_one = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PLAIN,
                 {'S', "250 ok\r\n550 no\r\n550 no\r\n"},
                 {'E', "ready\nrcpt 0 550\nrcpt 1 550\nnobody\nready\n"},
                 {'C', "MAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nRSET\r\n"},
                 {'S', "250 ok\r\n"},
                 {'C', "MAIL FROM:<s@y.org>\r\n"}}};

    (void)state;
    play(&pipelined);
    play(&one_by_one);
}

static void a_refused_rset_never_fails_mail_for_good(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PLAIN,
                 {'S', "250 ok\r\n550 no\r\n550 no\r\n500 RSET?\r\n"},
                 {'E', "ready\nrcpt 0 550\nrcpt 1 550\nnobody\nready\n"
                       "failed rset 451 protocol\nclosed rset 451 protocol\n"}}};

    (void)state;
    play(&conversation);
}

static void a_refused_data_fails_those_who_were_accepted(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 GROUP,
                 {'S', "250 ok\r\n250 ok\r\n550 no\r\n451 later\r\n"},
                 {'E', "ready\nrcpt 0 250\nrcpt 1 550\nfailed data 451\nready\n"},
                 {'C', "RSET\r\nMAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\n"
                       "DATA\r\n"}}};

    (void)state;
    play(&conversation);
}

static void a_421_ends_the_session_wherever_it_comes(void **state)
{
    static const struct {
        const char *before, *steps;
    } cases[] = {
        {"220 x\r\n", "session ehlo 421\nclosed ehlo 421\n"},
        {"220 x\r\n250-x\r\n250 PIPELINING\r\n", "ready\nfailed mail 421\nclosed mail 421\n"},
        {"220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n550 no\r\n",
         "ready\nrcpt 0 550\nfailed rcpt 421\nclosed rcpt 421\n"},
        {"220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n250 ok\r\n",
         "ready\nrcpt 0 250\nrcpt 1 250\nfailed data 421\nclosed data 421\n"},
        {"220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n",
         "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nfailed dot 421\nclosed dot 421\n"},
        {"220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n",
         "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nmessage dot 250\nready\nclosed idle 421\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct conversation conversation = {.settings = {ME},
                                            .mails = {&plain_mail},
                                            .rows = {{'S', cases[i].before},
                                                     {'S', "421 4.3.2 closing\r\n"},
                                                     {'E', cases[i].steps}}};
        play(&conversation);
    }
}

static void replies_of_illegal_shape_are_temporary_and_drop_the_session(void **state)
{
    static const char *const replies[] = {
        "<html><body>Bad Gateway</body></html>\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "\r\n",
        "25\r\n",
        "250_ok\r\n",
        "250 ok\n",
        "250 ok\r250 ok\r\n",
        "250 \x1b[2Jok\r\n",
        "250-one\r\n550 two\r\n",
        "650 x\r\n",
        "050 x\r\n",
        "1234 x\r\n",
        "354 go\r\n", /* legal, but not here */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
        struct conversation conversation = {
            .settings = {ME},
            .mails = {&plain_mail},
            .rows = {GREET_PLAIN,
                     {'S', replies[i]},
                     {'E', "ready\nfailed mail 451 protocol\nclosed mail 451 protocol\n"}}};
        play(&conversation);
    }
}

static void an_unreadable_reply_to_the_dot_leaves_a_doubt(void **state)
{
    static const struct conversation conversation = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PIPELINING,
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\nwhatever\r\n"},
                 {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\n"
                       "failed dot 451 doubtful protocol\nclosed dot 451 doubtful protocol\n"}}};

    (void)state;
    play(&conversation);
}

static void a_lost_connection_is_doubtful_only_after_the_dot(void **state)
{
    static const struct conversation before = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PIPELINING,
                 {'S', "250 ok\r\n250 ok\r\n"},
                 {'L', "Connection lost"},
                 {'E', "ready\nrcpt 0 250\nfailed rcpt 0\n"}}};
    static const struct conversation after = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PIPELINING,
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                 {'L', "Timed out"},
                 {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nfailed dot 0 doubtful\n"}}};
    static const struct conversation greeting = {
        .settings = {ME},
        .rows = {{'L', "Connection lost"}, {'E', "session banner 0\n"}}};
    static const struct conversation idle = {
        .settings = {ME},
        .rows = {GREET_PLAIN, {'L', "Connection lost"}, {'E', "ready\nclosed idle 0\n"}}};

    (void)state;
    play(&before);
    play(&after);
    play(&greeting);
    play(&idle);
}

static void an_unclean_body_never_gets_its_final_dot(void **state)
{
    static const char *const bodies[] = {"a\nb\r\n", "a\rb\r\n", "a\r\n.\n", "a\r", "\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        struct conversation conversation = {
            .settings = {ME},
            .mails = {&plain_mail},
            .body = bodies[i],
            .rows = {GREET_PIPELINING,
                     {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                     {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nunclean\n"}}};

        play(&conversation);
        assert_int_equal(slice_search(buffer_slice(&commands), SLICE_LITERAL("\n.\r\n")), -1);
    }
}

static void a_refusal_before_the_final_dot_is_heard(void **state)
{
    static const struct conversation stalled = {.settings = {ME}, .mails = {&plain_mail}};
    struct slice replies = SLICE_LITERAL(
        "220 x\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    struct slice refusal = SLICE_LITERAL("552 5.3.4 too big\r\n");
    enum smtp_client_step step;

    (void)state;
    now = &stalled;
    n_sent = 0;
    smtp_client_init(&client, &stalled.settings);
    while ((step = smtp_client_feed(&client, &replies)) != SMTP_CLIENT_SEND_BODY)
        note_step(step);
    assert_int_equal(smtp_client_body(&client, SLICE_LITERAL("Hello\r\n")), 0);
    assert_int_equal(smtp_client_feed(&client, &refusal), SMTP_CLIENT_TRANSACTION_FAILED);
    assert_int_equal(client.phase, SMTP_PHASE_BODY);
    assert_int_equal(client.reply.code, 552);
    assert_slice_is(client.reply.text, "too big");
    assert_int_equal(smtp_client_feed(&client, &refusal), SMTP_CLIENT_CLOSED);
    smtp_client_fini(&client);
}

static void a_thousand_recipients_go_out_in_windows(void **state)
{
    static struct smtp_client_recipient many[1000];
    static struct smtp_transaction mail = {.recipients = many, .n_recipients = 1000};
    struct conversation conversation = {.settings = {ME}, .mails = {&mail}};
    struct slice ok = SLICE_LITERAL("250 ok\r\n");

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        many[i].address = SLICE_LITERAL("a@x.org");
    now = &conversation;
    n_sent = 0;
    buffer_clear(&commands);
    smtp_client_init(&client, &conversation.settings);
    feed(SLICE_LITERAL("220 x\r\n250-x\r\n250 PIPELINING\r\n"));
    assert_in_range(commands.len, 1000, 2000); /* not all 19,000 bytes at once */
    for (size_t i = 0; i < 1001; i++)
        feed(ok);
    assert_int_equal(client.n_accepted, 1000);
    assert_int_equal(client.phase, SMTP_PHASE_DATA);
    smtp_client_fini(&client);
}

static void what_the_peer_offers_is_known(void **state)
{
    struct slice input = SLICE_LITERAL("220 x\r\n250-mx.example.org hello\r\n250-SIZE 52428800\r\n"
                                       "250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250-CHUNKING\r\n"
                                       "250-LIMITS RCPTMAX=50 MAILMAX=20\r\n250-XYZZY\r\n"
                                       "250 ENHANCEDSTATUSCODES\r\n");

    (void)state;
    now = &(struct conversation){.settings = {ME}};
    smtp_client_init(&client, &now->settings);
    assert_int_equal(smtp_client_feed(&client, &input), SMTP_CLIENT_READY);
    assert_string_equal(client.peer.name, "mx.example.org");
    assert_int_equal(client.peer.size, 52428800);
    assert_int_equal(client.peer.max_recipients, 50);
    assert_int_equal(client.peer.max_mails, 20);
    assert_true(client.peer.is_esmtp && client.peer.eight_bit_mime && client.peer.auth_plain &&
                client.peer.auth_login && client.peer.chunking && client.peer.enhanced_codes);
    assert_false(client.peer.pipelining || client.peer.dsn || client.peer.smtputf8 ||
                 client.peer.starttls);
    smtp_client_fini(&client);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_pipelined_where_offered),
        cmocka_unit_test(without_pipelining_each_command_waits),
        cmocka_unit_test(several_messages_use_one_connection),
        cmocka_unit_test(parameters_are_said_only_to_a_peer_that_offers_them),
        cmocka_unit_test(an_address_that_could_forge_a_command_is_not_said),
        cmocka_unit_test(helo_follows_only_a_permanent_refusal_of_ehlo),
        cmocka_unit_test(a_refusing_banner_fails_the_session),
        cmocka_unit_test(tls_starts_where_offered_and_ehlo_is_said_again),
        cmocka_unit_test(refused_tls_goes_on_in_clear_only_when_allowed),
        cmocka_unit_test(input_behind_starttls_ends_the_session),
        cmocka_unit_test(a_smart_host_gets_plain_or_login),
        cmocka_unit_test(a_password_never_leaves_in_clear_unless_told),
        cmocka_unit_test(a_refused_sender_fails_the_transaction_and_the_session_goes_on),
        cmocka_unit_test(when_nobody_is_accepted_a_354_gets_a_lone_dot),
        cmocka_unit_test(after_refused_recipients_the_next_transaction_begins_with_rset),
        cmocka_unit_test(a_refused_rset_never_fails_mail_for_good),
        cmocka_unit_test(a_refused_data_fails_those_who_were_accepted),
        cmocka_unit_test(a_421_ends_the_session_wherever_it_comes),
        cmocka_unit_test(replies_of_illegal_shape_are_temporary_and_drop_the_session),
        cmocka_unit_test(an_unreadable_reply_to_the_dot_leaves_a_doubt),
        cmocka_unit_test(a_lost_connection_is_doubtful_only_after_the_dot),
        cmocka_unit_test(an_unclean_body_never_gets_its_final_dot),
        cmocka_unit_test(a_refusal_before_the_final_dot_is_heard),
        cmocka_unit_test(a_thousand_recipients_go_out_in_windows),
        cmocka_unit_test(what_the_peer_offers_is_known),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&commands);
    buffer_fini(&steps);
    return n_failed;
}
