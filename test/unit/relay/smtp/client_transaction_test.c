/* From READY to the reply: MAIL, RCPT, DATA, the body, and what follows a refusal. */
#include "test/support/test_support.h"

#include "test/support/client_conversation.h"

/* clang-format 14 falls over rows of unequal length made by macros. */
/* clang-format off */

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
    conversation_play(&conversation);
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
    conversation_play(&conversation);
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
    conversation_play(&conversation);
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
                                                 .has_priority = true,
                                                 .priority = -4,
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
                       "250-MT-PRIORITY MIXER\r\n250 pipelining\r\n"},
                 {'C', "MAIL FROM:<> SIZE=1234 RET=HDRS ENVID=QQ+2B1 MT-PRIORITY=-4\r\n"
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
    conversation_play(&offered);
    conversation_play(&not_offered);
    conversation_play(&eight_offered);
    conversation_play(&eight_not_offered);
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

        conversation_play(&conversation);
    }
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
    conversation_play(&pipelined);
    conversation_play(&one_by_one);
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
    conversation_play(&conversation);
}

static const struct smtp_client_recipient ann = {.address = SLICE_LITERAL("a@x.org")};
static const struct smtp_transaction test_mail = {
    .sender = SLICE_LITERAL("s@y.org"), .recipients = &ann, .n_recipients = 1, .ends_at_rcpt = true};

static void a_test_ends_at_rcpt_with_rset(void **state)
{
    static const struct conversation pipelined = {
        .settings = {ME},
        .mails = {&test_mail, &plain_mail},
        .rows = {GREET_PIPELINING,
                 {'C', "MAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRSET\r\n"},
                 {'S', "250 ok\r\n250 ok\r\n250 forgotten\r\n"},
                 {'E', "ready\nrcpt 0 250\nnobody\nready\n"},
                 GROUP}};
    static const struct conversation in_turn = {
        .settings = {ME},
        .mails = {&test_mail},
        .rows = {GREET_PLAIN,
                 {'C', "MAIL FROM:<s@y.org>\r\n"},
                 {'S', "250 ok\r\n"},
                 {'C', "RCPT TO:<a@x.org>\r\n"},
                 {'S', "550 5.1.1 no\r\n"},
                 {'E', "ready\nrcpt 0 550\nnobody\nready\n"},
                 {'Q', ""},
                 {'C', "QUIT\r\n"}}};
    static const struct conversation refused = {
        .settings = {ME},
        .mails = {&test_mail},
        .rows = {GREET_PIPELINING,
                 {'C', "MAIL FROM:<s@y.org>\r\nRCPT TO:<a@x.org>\r\nRSET\r\n"},
                 {'S', "550 5.7.1 listed\r\n503 no\r\n250 ok\r\n"},
                 {'E', "ready\nfailed mail 550\nready\n"}}};

    (void)state;
    conversation_play(&pipelined);
    conversation_play(&in_turn);
    conversation_play(&refused);
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
    conversation_play(&pipelined);
    conversation_play(&one_by_one);
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
    conversation_play(&conversation);
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
    conversation_play(&conversation);
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
    conversation_begin(&conversation);
    conversation_feed(SLICE_LITERAL("220 x\r\n250-x\r\n250 PIPELINING\r\n"));
    assert_in_range(talk.commands.len, 1000, 2000); /* not all 19,000 bytes at once */
    for (size_t i = 0; i < 1001; i++)
        conversation_feed(ok);
    assert_int_equal(talk.client.n_accepted, 1000);
    assert_int_equal(talk.client.phase, SMTP_PHASE_DATA);
    smtp_client_fini(&talk.client);
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
        cmocka_unit_test(a_refused_sender_fails_the_transaction_and_the_session_goes_on),
        cmocka_unit_test(when_nobody_is_accepted_a_354_gets_a_lone_dot),
        cmocka_unit_test(a_test_ends_at_rcpt_with_rset),
        cmocka_unit_test(after_refused_recipients_the_next_transaction_begins_with_rset),
        cmocka_unit_test(a_refused_rset_never_fails_mail_for_good),
        cmocka_unit_test(a_refused_data_fails_those_who_were_accepted),
        cmocka_unit_test(a_thousand_recipients_go_out_in_windows),
    };

    return cmocka_run_group_tests(tests, NULL, conversation_forget);
}
