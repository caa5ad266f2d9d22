/* What is said again while an action holds, after a reload, and where counters lie. */
#include "test/unit/policy/reply_rule_bench.h"

#include "policy/rule_words.h"

/* Another book with the same rule, changed. */
static void reload(struct bench *bench, const char *when)
{
    struct receiver_book *book = book_with(when);

    bench->subject.provider = &book->providers.entries[0];
    receiver_book_unref(bench->book);
    bench->book = book;
}

static void a_longer_window_forgets_too(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 1h do suspend on lane for 10m");
    assert_int_equal(hear(&bench, "slow"), 0);
    reload(&bench, "when 3 in 4h do suspend on lane for 10m");
    for (int i = 0; i < 20; i++) { /* two in any four hours */
        bench.now_ms += 2 * HOUR + MINUTE;
        assert_int_equal(hear(&bench, "slow"), 0);
    }
    bench.now_ms += MINUTE;
    assert_int_equal(hear(&bench, "slow"), 1);
    end(&bench);
}

/* Doubled to 20 minutes; somebody resumed after two, and it is heard again. */
static void said_while_a_doubled_time_should_hold_it_is_not_shortened(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on lane for 10m");
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
    bench.now_ms += 10 * MINUTE + SECOND;
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 20 * MINUTE);
    bench.now_ms += 2 * MINUTE;
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 20 * MINUTE);
    bench.now_ms += 20 * MINUTE + SECOND;
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 40 * MINUTE);
    end(&bench);
}

static void a_block_is_never_shortened(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on from_domain for 3h");
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
    reload(&bench, "when 2 in 1h do suspend on from_domain for 10m");
    bench.now_ms += 2 * MINUTE;
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
    bench.now_ms += 2 * HOUR;
    assert_non_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    bench.now_ms += HOUR; /* over: the next is a probe */
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    end(&bench);
}

/* Half of what the table holds in all: hardly one is pushed out. */
static void counters_use_the_whole_table(void **state)
{
    struct bench bench;
    size_t n_forgotten = 0;

    (void)state;
    begin(&bench, "when 2 in 1h do bounce on recipient");
    for (uint64_t i = 1; i <= RULE_OTHERS / 2; i++) {
        bench.subject.recipient = i;
        assert_int_equal(hear(&bench, "slow"), 0);
    }
    for (uint64_t i = 1; i <= RULE_OTHERS / 2; i++) {
        bench.subject.recipient = i;
        n_forgotten += hear(&bench, "slow") == 0;
    }
    assert_in_range(n_forgotten, 0, RULE_OTHERS / 2 / 20);
    end(&bench);
}

/* As delivery keeps it: where it holds, by whose word, for how long. */
static struct rule_word word_of(const struct rule_action *action)
{
    struct rule_word word = {.scope = action->scope,
                             .verb = action->step->verb == RULE_OTHER_ADDRESS ? RULE_SUSPEND
                                                                              : action->step->verb,
                             .rule = "tested",
                             .lasts_ms = action->for_ms};
    return word;
}

static void restart(struct bench *bench, const struct rule_word *word, int64_t until_ms)
{
    reply_rule_engine_fini(&bench->engine);
    reply_rule_engine_init(&bench->engine);
    reply_rule_engine_remember(&bench->engine, &bench->book->rules, &bench->subject, word, until_ms,
                               bench->now_ms);
}

/* Twice as long each time, whatever restarts in between; and of a rule that is gone nothing. */
static void what_is_said_again_after_a_restart_holds_twice_as_long(void **state)
{
    static const char *const lines[] = {
        "when 2 in 1h do suspend on lane for 10m",
        "when 2 in 1h do other_address on lane for 10m",
        "when 2 in 1h do suspend on from_domain for 10m",
        "when 2 in 1h do limit 10/m on lane_provider for 10m",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct bench bench;
        struct rule_word word;

        begin(&bench, lines[i]);
        if (i == 3)
            bench.subject.provider =
                NULL; /* a provider's word at a site without one is the lane's */
        bench.book->rules.rules[0].is_for_all = true;
        assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
        for (int k = 0; k < 3; k++) {
            int64_t until_ms = bench.now_ms + bench.actions[0].for_ms;

            word = word_of(&bench.actions[0]);
            if (i == 3)
                word.scope = RULE_ON_LANE;
            bench.now_ms = until_ms + SECOND;
            restart(&bench, &word, until_ms);
            assert_int_equal(hear(&bench, "slow"), 1);
            assert_int_equal(bench.actions[0].for_ms, (20 * MINUTE) << k);
        }
        slice_copy_to(SLICE_LITERAL("another"), word.rule, sizeof(word.rule));
        restart(&bench, &word, bench.now_ms - SECOND);
        assert_int_equal(hear(&bench, "slow"), 0);
        end(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_window_forgets_too),
        cmocka_unit_test(said_while_a_doubled_time_should_hold_it_is_not_shortened),
        cmocka_unit_test(a_block_is_never_shortened),
        cmocka_unit_test(counters_use_the_whole_table),
        cmocka_unit_test(what_is_said_again_after_a_restart_holds_twice_as_long),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
