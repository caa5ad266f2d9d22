/* What is said again while an action holds, after a reload, and where counters lie. */
#include "test/unit/policy/reply_rule_bench.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_window_forgets_too),
        cmocka_unit_test(said_while_a_doubled_time_should_hold_it_is_not_shortened),
        cmocka_unit_test(a_block_is_never_shortened),
        cmocka_unit_test(counters_use_the_whole_table),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
