#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>

#include "relay/cli/sink_session.h"

struct fixture {
    struct sink_session session;
    struct sink_script *script;
    struct buffer said;   /* all replies so far */
    struct buffer stored; /* the last message */
};

static struct sink_script *load_script(const char *text)
{
    char path[] = "/tmp/sink-script-XXXXXX";
    struct sink_script *script = NULL;
    struct buffer problem = BUFFER_INIT;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(sink_script_load(&script, path, &problem), 0);
    unlink(path);
    return script;
}

static void begin(struct fixture *fixture, const char *script)
{
    *fixture = (struct fixture){0};
    if (script)
        fixture->script = load_script(script);
    sink_session_init(&fixture->session, fixture->script, true);
    assert_int_equal(sink_session_greet(&fixture->session), SINK_STEP_MORE);
}

static void end(struct fixture *fixture)
{
    sink_session_fini(&fixture->session);
    sink_script_free(fixture->script);
    buffer_fini(&fixture->said);
    buffer_fini(&fixture->stored);
}

/* Feeds text in pieces of at most piece octets; messages are kept; returns the last step. */
static enum sink_step feed_pieces(struct fixture *fixture, struct slice text, size_t piece)
{
    struct sink_session *session = &fixture->session;
    enum sink_step step = SINK_STEP_MORE;
    struct buffer waiting = BUFFER_INIT;

    for (; step == SINK_STEP_MORE && text.len > 0; text = slice_skip(text, piece)) {
        buffer_append(&waiting, slice_head(text, piece));
        do {
            struct slice input = buffer_slice(&waiting);

            step = sink_session_feed(session, &input);
            buffer_consume(&waiting, waiting.len - input.len);
            if (step == SINK_STEP_MESSAGE) {
                buffer_clear(&fixture->stored);
                buffer_append(&fixture->stored, sink_session_message(session));
                step = sink_session_kept(session, true);
                continue;
            }
            break;
        } while (waiting.len > 0);
    }
    buffer_append(&fixture->said, buffer_slice(&session->output));
    buffer_clear(&session->output);
    buffer_fini(&waiting);
    return step;
}

static enum sink_step feed(struct fixture *fixture, const char *text)
{
    return feed_pieces(fixture, slice_of(text), strlen(text));
}

#define TRANSACTION                                                                                \
    "EHLO client.example\r\nMAIL FROM:<a@example.org> BODY=8BITMIME\r\n"                           \
    "RCPT TO:<\"x>y\"@example.net> NOTIFY=NEVER\r\nRCPT TO:<c@example.net>\r\nDATA\r\n"

static void a_message_is_kept_unstuffed_at_any_fragmentation(void **state)
{
    static const char dialogue[] = TRANSACTION "Subject: x\r\n\r\n..dot\r\n.\n.\r\n..\r\n.\r\n";

    (void)state;
    for (size_t piece = 1; piece <= sizeof(dialogue) - 1; piece++) {
        struct fixture fixture;

        begin(&fixture, NULL);
        assert_int_equal(feed_pieces(&fixture, slice_of(dialogue), piece), SINK_STEP_MORE);
        assert_slice_is(buffer_slice(&fixture.stored), "Subject: x\r\n\r\n.dot\r\n\n.\r\n.\r\n");
        end(&fixture);
    }
}

static void the_envelope_is_what_mail_and_rcpt_said(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, NULL);
    feed(&fixture, TRANSACTION);
    assert_string_equal(fixture.session.helo, "client.example");
    assert_string_equal(fixture.session.sender.address, "a@example.org");
    assert_string_equal(fixture.session.sender.parameters, "BODY=8BITMIME");
    assert_int_equal(fixture.session.n_recipients, 2);
    assert_string_equal(fixture.session.recipients[0].address, "\"x>y\"@example.net");
    assert_string_equal(fixture.session.recipients[0].parameters, "NOTIFY=NEVER");
    end(&fixture);
}

static void an_empty_message_ends_at_the_first_dot(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, NULL);
    feed(&fixture, TRANSACTION ".\r\nQUIT\r\n");
    assert_slice_is(buffer_slice(&fixture.stored), "");
    assert_true(slice_ends_with_ignoring_case(buffer_slice(&fixture.said),
                                              SLICE_LITERAL("221 2.0.0 Bye\r\n")));
    end(&fixture);
}

static void a_bare_lf_ends_neither_command_nor_data(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, NULL);
    feed(&fixture, "EHLO a\nMAIL FROM:<x@y>\r\n" TRANSACTION "a\n.\nb\r\n.\r\n");
    assert_true(slice_search(buffer_slice(&fixture.said), SLICE_LITERAL("500 5.5.2 Control")) >= 0);
    assert_slice_is(buffer_slice(&fixture.stored), "a\n.\nb\r\n");
    end(&fixture);
}

static void commands_out_of_order_are_refused(void **state)
{
    static const char *const rows[] = {"MAIL FROM:<a@b>\r\n", "RCPT TO:<a@b>\r\n", "DATA\r\n",
                                       "EHLO x\r\nDATA\r\n", "EHLO x\r\nRCPT TO:<a@b>\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture;

        begin(&fixture, NULL);
        feed(&fixture, rows[i]);
        assert_true(slice_search(buffer_slice(&fixture.said), SLICE_LITERAL("503 5.5.1")) >= 0);
        assert_int_equal(fixture.session.n_refused, 1);
        end(&fixture);
    }
}

static void starttls_forgets_what_was_said_before(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, NULL);
    assert_int_equal(feed(&fixture, "EHLO x\r\nMAIL FROM:<a@b>\r\nSTARTTLS\r\n"),
                     SINK_STEP_START_TLS);
    sink_session_secured(&fixture.session);
    buffer_clear(&fixture.said);
    feed(&fixture, "MAIL FROM:<a@b>\r\nEHLO x\r\nSTARTTLS\r\n");
    assert_true(slice_starts_with(buffer_slice(&fixture.said), SLICE_LITERAL("503")));
    assert_int_equal(slice_search(buffer_slice(&fixture.said), SLICE_LITERAL("250-STARTTLS")), -1);
    assert_true(slice_ends_with_ignoring_case(buffer_slice(&fixture.said),
                                              SLICE_LITERAL("502 5.5.1 Not offered\r\n")));
    end(&fixture);
}

static void a_rule_replies_to_what_it_matches_only(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "# two rules\nRCPT match=@bad\\. -> 550 5.1.1 No\nEHLO -> 250-me\\n250 SIZE\n");
    feed(&fixture, "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@BAD.test>\r\nRCPT TO:<a@good.test>\r\n");
    assert_slice_is(buffer_slice(&fixture.said),
                    "220 sink ESMTP\r\n250-me\r\n250 SIZE\r\n250 2.1.0 Ok\r\n550 5.1.1 No\r\n"
                    "250 2.1.5 Ok\r\n");
    assert_int_equal(fixture.session.n_recipients, 1);
    end(&fixture);
}

static void every_n_counts_matches(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "NOOP every=3 -> 450 third\n");
    feed(&fixture, "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n");
    assert_slice_is(buffer_slice(&fixture.said), "220 sink ESMTP\r\n250 2.0.0 Ok\r\n"
                                                 "250 2.0.0 Ok\r\n450 third\r\n250 2.0.0 Ok\r\n");
    end(&fixture);
}

static void delay_drop_and_421_are_steps(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "NOOP -> delay=250ms\nRSET -> drop\nMAIL -> 421 4.7.0 Later\n");
    assert_int_equal(feed(&fixture, "NOOP\r\n"), SINK_STEP_WAIT);
    assert_int_equal(fixture.session.wait_ms, 250);
    assert_int_equal(sink_session_waited(&fixture.session), SINK_STEP_MORE);
    assert_slice_is(buffer_slice(&fixture.session.output), "250 2.0.0 Ok\r\n");
    assert_int_equal(feed(&fixture, "RSET\r\n"), SINK_STEP_DROP);
    assert_int_equal(feed(&fixture, "EHLO x\r\nMAIL FROM:<a@b>\r\n"), SINK_STEP_CLOSE);
    end(&fixture);
}

static void a_refused_message_is_not_offered(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "DOT match=viagra -> 554 5.7.1 No\n");
    feed(&fixture, TRANSACTION "Buy Viagra\r\n.\r\nMAIL FROM:<a@b>\r\n");
    assert_int_equal(fixture.stored.len, 0);
    assert_true(slice_ends_with_ignoring_case(buffer_slice(&fixture.said),
                                              SLICE_LITERAL("554 5.7.1 No\r\n250 2.1.0 Ok\r\n")));
    end(&fixture);
}

static void a_wrong_script_is_refused_with_its_line(void **state)
{
    static const char *const rows[] = {
        "FOO -> 250 x",         "MAIL 250 x",      "MAIL -> ",    "MAIL every=0 -> drop",
        "MAIL match=( -> drop", "MAIL -> delay=5", "MAIL -> 99 x"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[] = "/tmp/sink-script-XXXXXX", start[64];
        struct sink_script *script = NULL;
        struct buffer problem = BUFFER_INIT;
        FILE *file = fdopen(mkstemp(path), "w");

        fprintf(file, "\n%s\n", rows[i]);
        fclose(file);
        assert_int_equal(sink_script_load(&script, path, &problem), -22);
        snprintf(start, sizeof(start), "%s:2: ", path);
        assert_true(slice_starts_with(buffer_slice(&problem), slice_of(start)));
        unlink(path);
        buffer_fini(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_kept_unstuffed_at_any_fragmentation),
        cmocka_unit_test(the_envelope_is_what_mail_and_rcpt_said),
        cmocka_unit_test(an_empty_message_ends_at_the_first_dot),
        cmocka_unit_test(a_bare_lf_ends_neither_command_nor_data),
        cmocka_unit_test(commands_out_of_order_are_refused),
        cmocka_unit_test(starttls_forgets_what_was_said_before),
        cmocka_unit_test(a_rule_replies_to_what_it_matches_only),
        cmocka_unit_test(every_n_counts_matches),
        cmocka_unit_test(delay_drop_and_421_are_steps),
        cmocka_unit_test(a_refused_message_is_not_offered),
        cmocka_unit_test(a_wrong_script_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
