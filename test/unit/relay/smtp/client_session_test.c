/* What can go wrong at any moment: 421, replies of no shape, lost connections, bad bodies. */
#include "test/support/test_support.h"

#include "test/support/client_conversation.h"

/* clang-format 14 falls over rows of unequal length made by macros. */
/* clang-format off */

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
        conversation_play(&conversation);
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
        conversation_play(&conversation);
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
    conversation_play(&conversation);
}

/* The message is theirs: to try again would repeat it for five days.  No more mail goes there. */
static void a_250_with_a_bare_lf_after_the_dot_counts_and_ends_the_session(void **state)
{
    static const struct conversation taken = {
        .settings = {ME},
        .mails = {&plain_mail},
        .rows = {GREET_PIPELINING,
                 {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                 {'S', "250 2.0.0 taken\n"},
                 {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\n"
                       "message dot 250\nclosed dot 250\n"}}};
    static const char *const others[] = {"550 5.0.0 no\n", "251 ok\n", "250-ok\n", "250\n",
                                         "250-ok\r\n250 ok\n"};

    (void)state;
    conversation_play(&taken);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        struct conversation conversation = {
            .settings = {ME},
            .mails = {&plain_mail},
            .rows = {GREET_PIPELINING,
                     {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
                     {'S', others[i]},
                     {'E', "ready\nrcpt 0 250\nrcpt 1 250\nbody 2\nfailed dot 451 doubtful "
                           "protocol\nclosed dot 451 doubtful protocol\n"}}};
        conversation_play(&conversation);
    }
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
    conversation_play(&before);
    conversation_play(&after);
    conversation_play(&greeting);
    conversation_play(&idle);
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

        conversation_play(&conversation);
        assert_int_equal(slice_search(buffer_slice(&talk.commands), SLICE_LITERAL("\n.\r\n")), -1);
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
    conversation_begin(&stalled);
    while ((step = smtp_client_feed(&talk.client, &replies)) != SMTP_CLIENT_SEND_BODY)
        conversation_note(step);
    assert_int_equal(smtp_client_body(&talk.client, SLICE_LITERAL("Hello\r\n")), 0);
    assert_int_equal(smtp_client_feed(&talk.client, &refusal), SMTP_CLIENT_TRANSACTION_FAILED);
    assert_int_equal(talk.client.phase, SMTP_PHASE_BODY);
    assert_int_equal(talk.client.reply.code, 552);
    assert_slice_is(talk.client.reply.text, "too big");
    assert_int_equal(smtp_client_feed(&talk.client, &refusal), SMTP_CLIENT_CLOSED);
    smtp_client_fini(&talk.client);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_421_ends_the_session_wherever_it_comes),
        cmocka_unit_test(replies_of_illegal_shape_are_temporary_and_drop_the_session),
        cmocka_unit_test(an_unreadable_reply_to_the_dot_leaves_a_doubt),
        cmocka_unit_test(a_250_with_a_bare_lf_after_the_dot_counts_and_ends_the_session),
        cmocka_unit_test(a_lost_connection_is_doubtful_only_after_the_dot),
        cmocka_unit_test(an_unclean_body_never_gets_its_final_dot),
        cmocka_unit_test(a_refusal_before_the_final_dot_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, conversation_forget);
}
