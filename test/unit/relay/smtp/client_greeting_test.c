/* From the banner to READY: EHLO, STARTTLS, AUTH. */
#include "test/support/test_support.h"

#include "test/support/client_conversation.h"

/* clang-format 14 falls over rows of unequal length made by macros. */
/* clang-format off */

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
    conversation_play(&permanent);
    conversation_play(&temporary);
    conversation_play(&both_refused);
}

static void a_refusing_banner_fails_the_session(void **state)
{
    static const struct conversation refused = {
        .settings = {ME}, .rows = {{'S', "554 go away\r\n"}, {'E', "session banner 554\n"}}};
    static const struct conversation too_busy = {
        .settings = {ME},
        .rows = {{'S', "421 4.7.0 busy\r\n"}, {'E', "session banner 421\nclosed banner 421\n"}}};

    (void)state;
    conversation_play(&refused);
    conversation_play(&too_busy);
}

static void what_the_peer_offers_is_known(void **state)
{
    const struct smtp_client_peer *peer = &talk.client.peer;
    struct slice input = SLICE_LITERAL("220 x\r\n250-mx.example.org hello\r\n250-SIZE 52428800\r\n"
                                       "250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250-CHUNKING\r\n"
                                       "250-LIMITS RCPTMAX=50 MAILMAX=20\r\n250-XYZZY\r\n"
                                       "250 ENHANCEDSTATUSCODES\r\n");

    (void)state;
    conversation_begin(&(struct conversation){.settings = {ME}});
    assert_int_equal(smtp_client_feed(&talk.client, &input), SMTP_CLIENT_READY);
    assert_string_equal(peer->name, "mx.example.org");
    assert_int_equal(peer->size, 52428800);
    assert_int_equal(peer->max_recipients, 50);
    assert_int_equal(peer->max_mails, 20);
    assert_true(peer->is_esmtp && peer->eight_bit_mime && peer->auth_plain && peer->auth_login &&
                peer->chunking && peer->enhanced_codes);
    assert_false(peer->pipelining || peer->dsn || peer->smtputf8 || peer->starttls);
    smtp_client_fini(&talk.client);
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
    conversation_play(&taken);
    conversation_play(&unwanted);
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
    conversation_play(&may);
    conversation_play(&must);
    conversation_play(&not_offered);
}

static void input_behind_starttls_ends_the_session(void **state)
{
    struct slice injected = SLICE_LITERAL("220 go\r\n250 x\r\n");

    (void)state;
    conversation_begin(&(struct conversation){.settings = {ME, .tls = SMTP_CLIENT_TLS_MAY}});
    conversation_feed(SLICE_LITERAL("220 x\r\n250-x\r\n250 STARTTLS\r\n"));
    conversation_feed(injected);
    assert_slice_is(buffer_slice(&talk.steps),
                    "session starttls 451 protocol\nclosed starttls 451 protocol\n");
    smtp_client_fini(&talk.client);
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
    conversation_play(&plain);
    conversation_play(&plain_asked_again);
    conversation_play(&login);
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
    conversation_play(&clear);
    conversation_play(&allowed);
    conversation_play(&no_mechanism);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helo_follows_only_a_permanent_refusal_of_ehlo),
        cmocka_unit_test(a_refusing_banner_fails_the_session),
        cmocka_unit_test(what_the_peer_offers_is_known),
        cmocka_unit_test(tls_starts_where_offered_and_ehlo_is_said_again),
        cmocka_unit_test(refused_tls_goes_on_in_clear_only_when_allowed),
        cmocka_unit_test(input_behind_starttls_ends_the_session),
        cmocka_unit_test(a_smart_host_gets_plain_or_login),
        cmocka_unit_test(a_password_never_leaves_in_clear_unless_told),
    };

    return cmocka_run_group_tests(tests, NULL, conversation_forget);
}
