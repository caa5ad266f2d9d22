#include "test/unit/relay/cli/sink_fixture.h"

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

static void a_dripping_reply_goes_out_octet_by_octet(void **state)
{
    struct fixture fixture;
    size_t n_octets = 0;
    enum sink_step step;

    (void)state;
    begin(&fixture, "NOOP -> drip=20ms 250 x\n");
    buffer_clear(&fixture.session.output);
    step = feed(&fixture, "NOOP\r\n");
    for (; step == SINK_STEP_WAIT; step = sink_session_waited(&fixture.session)) {
        assert_int_equal(fixture.session.wait_ms, 20);
        n_octets++;
    }
    buffer_append(&fixture.said, buffer_slice(&fixture.session.output));
    assert_int_equal(step, SINK_STEP_MORE);
    assert_int_equal(n_octets, strlen("250 x\r\n") - 1); /* nothing is waited for after the last */
    assert_slice_is(buffer_slice(&fixture.said), "250 x\r\n");
    end(&fixture);
}

static void a_body_can_be_cut_or_read_late(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "BODY -> drop\n");
    assert_int_equal(feed(&fixture, TRANSACTION "Sub"), SINK_STEP_DROP);
    end(&fixture);
    begin(&fixture, "BODY -> delay=3s\n");
    assert_int_equal(feed(&fixture, TRANSACTION "Sub"), SINK_STEP_WAIT);
    assert_int_equal(fixture.session.wait_ms, 3000);
    assert_int_equal(sink_session_waited(&fixture.session), SINK_STEP_MORE);
    feed(&fixture, "Subject: x\r\n\r\n.\r\n");
    assert_slice_is(buffer_slice(&fixture.stored), "Subject: x\r\n\r\n");
    assert_int_equal(fixture.session.n_refused, 0);
    end(&fixture);
}

static void a_lost_reply_comes_after_the_message_was_kept(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "DOT -> lose\n");
    assert_int_equal(feed(&fixture, TRANSACTION "x\r\n.\r\n"), SINK_STEP_DROP);
    assert_slice_is(buffer_slice(&fixture.stored), "x\r\n");
    assert_int_equal(slice_search(buffer_slice(&fixture.said), SLICE_LITERAL("taken")), -1);
    end(&fixture);
}

/* ---- the trace ---- */

static void the_trace_has_a_line_of_each_event(void **state)
{
    static const char *const events[] = {"CONNECT", "EHLO", "MAIL", "RCPT",
                                         "RCPT",    "DATA", "BODY", "DOT"};
    char path[] = "/tmp/sink-trace-XXXXXX", line[512];
    struct fixture fixture = {.script = load_script("RCPT match=c@ -> 550 5.1.1 No\n")};
    FILE *file;

    (void)state;
    close(mkstemp(path));
    sink_session_init(&fixture.session, fixture.script, false);
    assert_int_equal(sink_trace_open(&fixture.session.trace, path), 0);
    sink_session_greet(&fixture.session);
    feed(&fixture, TRANSACTION "x\r\n.\r\n");
    file = fopen(path, "re");
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        char wanted[64];

        assert_non_null(fgets(line, sizeof(line), file));
        snprintf(wanted, sizeof(wanted), "\"event\":\"%s\"", events[i]);
        assert_non_null(strstr(line, wanted));
        assert_int_equal(strncmp(line, "{\"t\":", 5), 0);
        assert_int_equal(strstr(line, "\"code\":550") != NULL, i == 4);
    }
    assert_non_null(strstr(line, "\"sender\":\"a@example.org\""));
    assert_non_null(strstr(line, "\"recipients\":1"));
    assert_null(fgets(line, sizeof(line), file));
    fclose(file);
    sink_trace_close(fixture.session.trace);
    unlink(path);
    end(&fixture);
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
        cmocka_unit_test(a_refused_message_is_not_offered),
        cmocka_unit_test(a_dripping_reply_goes_out_octet_by_octet),
        cmocka_unit_test(a_body_can_be_cut_or_read_late),
        cmocka_unit_test(a_lost_reply_comes_after_the_message_was_kept),
        cmocka_unit_test(the_trace_has_a_line_of_each_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
