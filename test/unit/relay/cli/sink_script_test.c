#include "test/unit/relay/cli/sink_fixture.h"

#include <errno.h>

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

static void a_wrong_script_is_refused_with_its_line(void **state)
{
    static const char *const rows[] = {
        "FOO -> 250 x",
        "MAIL 250 x",
        "MAIL -> ",
        "MAIL every=0 -> drop",
        "MAIL match=( -> drop",
        "MAIL -> delay=5",
        "MAIL -> 99 x",
        "MAIL -> drip=1",
        "MAIL rate=0/1s -> drop",
        "MAIL rate=5 -> drop",
        "MAIL rate=5/0s -> drop",
        "MAIL per=nobody -> drop",
        "MAIL open=3 -> drop",
        "MAIL new=3s -> drop",
        "RCPT new=3s rate=1/1s -> drop",
        "MAIL until=0s -> drop",
        "MAIL -> lose",
        "BODY -> 450 x",
    };

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

static void a_file_that_is_not_there_is_named(void **state)
{
    struct sink_script *script = NULL;
    struct buffer problem = BUFFER_INIT;

    (void)state;
    assert_int_equal(sink_script_load(&script, "/nowhere/script", &problem), -ENOENT);
    assert_true(slice_starts_with(buffer_slice(&problem), SLICE_LITERAL("/nowhere/script: ")));
    buffer_fini(&problem);
}

/* ---- rules that count: one row, one event ---- */

struct row {
    int64_t at_ms;
    const char *peer, *recipient;
    bool is_refused;
};

static void assert_refuses(const char *rule, enum sink_phase phase, const struct row *rows,
                           size_t n_rows)
{
    struct sink_script *script = load_script(rule);

    for (size_t i = 0; i < n_rows; i++) {
        const struct sink_event event = {.phase = phase,
                                         .peer = rows[i].peer,
                                         .listener = "127.0.0.1",
                                         .sender = "a@example.org",
                                         .recipient = rows[i].recipient,
                                         .now_ms = rows[i].at_ms};

        if ((sink_script_decide(script, &event).ending == SINK_REPLY) != rows[i].is_refused)
            fail_msg("%s: row %zu", rule, i);
    }
    sink_script_free(script);
}

#define ASSERT_REFUSES(rule, phase, rows)                                                          \
    assert_refuses(rule, phase, rows, sizeof(rows) / sizeof((rows)[0]))

/* What was refused is not counted, and the window ends to the millisecond. */
static void a_rate_lets_through_n_in_any_window(void **state)
{
    static const struct row rows[] = {
        {0,    "p", "", false},
        {900,  "p", "", false},
        {999,  "p", "", true },
        {1000, "p", "", false}, /* the first has left the window */
        {1001, "p", "", true },
        {1899, "q", "", true },
        {1900, "q", "", false},
        {9999, "q", "", false},
    };

    (void)state;
    ASSERT_REFUSES("MAIL rate=2/1s -> 421 4.7.0 Slow down\n", SINK_MAIL, rows);
}

static void a_rate_may_be_each_peers_or_each_domains(void **state)
{
    static const struct row by_peer[] = {
        {0, "p", "a@x", false},
        {1, "q", "a@x", false},
        {2, "p", "a@y", true },
        {3, "q", "a@x", true }
    };
    static const struct row by_domain[] = {
        {0, "p", "a@x", false},
        {1, "q", "b@x", true },
        {2, "p", "a@y", false},
        {3, "q", "b@y", true }
    };

    (void)state;
    ASSERT_REFUSES("RCPT rate=1/1m per=peer -> 450 no\n", SINK_RCPT, by_peer);
    ASSERT_REFUSES("RCPT per=domain rate=1/1m -> 450 no\n", SINK_RCPT, by_domain);
}

static void a_triplet_is_new_until_its_time_has_passed(void **state)
{
    static const struct row rows[] = {
        {100,  "p", "a@x", true },
        {1099, "p", "a@x", true },
        {1100, "p", "a@x", false},
        {1100, "q", "a@x", true },
        {1101, "p", "b@x", true },
        {2101, "p", "b@x", false},
    };

    (void)state;
    ASSERT_REFUSES("RCPT new=1s -> 450 4.7.1 Greylisted\n", SINK_RCPT, rows);
}

static void a_storm_has_a_beginning_and_an_end(void **state)
{
    static const struct row rows[] = {
        {4999, "p", "", false},
        {5000, "p", "", true },
        {8999, "p", "", true },
        {9000, "p", "", false}
    };

    (void)state;
    ASSERT_REFUSES("DOT from=5s until=9s -> 421 4.3.2 Closing\n", SINK_DOT, rows);
}

static void connections_at_once_are_counted_in_three_ways(void **state)
{
    static const struct {
        const char *rule;
        unsigned n_open, n_of_peer, n_at_listener;
        bool is_refused;
    } rows[] = {
        {"CONNECT open=2 -> 421 x\n",              2, 9, 9, false},
        {"CONNECT open=2 -> 421 x\n",              3, 1, 1, true },
        {"CONNECT open=2 per=peer -> 421 x\n",     9, 2, 9, false},
        {"CONNECT open=2 per=peer -> 421 x\n",     9, 3, 1, true },
        {"CONNECT open=2 per=listener -> 421 x\n", 9, 9, 2, false},
        {"CONNECT open=2 per=listener -> 421 x\n", 9, 1, 3, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture fixture = {.script = load_script(rows[i].rule)};
        enum sink_step step;

        sink_session_init(&fixture.session, fixture.script, false);
        fixture.session.place.n_open = rows[i].n_open;
        fixture.session.place.n_open_of_peer = rows[i].n_of_peer;
        fixture.session.place.n_open_at_listener = rows[i].n_at_listener;
        step = sink_session_greet(&fixture.session);
        assert_int_equal(step, rows[i].is_refused ? SINK_STEP_CLOSE : SINK_STEP_MORE);
        assert_int_equal(sink_script_n_applied(fixture.script, 0), rows[i].is_refused);
        assert_int_equal(sink_script_n_applied(fixture.script, 1), -1);
        end(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_rule_replies_to_what_it_matches_only),
        cmocka_unit_test(every_n_counts_matches),
        cmocka_unit_test(delay_drop_and_421_are_steps),
        cmocka_unit_test(a_wrong_script_is_refused_with_its_line),
        cmocka_unit_test(a_rate_lets_through_n_in_any_window),
        cmocka_unit_test(a_rate_may_be_each_peers_or_each_domains),
        cmocka_unit_test(a_triplet_is_new_until_its_time_has_passed),
        cmocka_unit_test(a_storm_has_a_beginning_and_an_end),
        cmocka_unit_test(connections_at_once_are_counted_in_three_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
