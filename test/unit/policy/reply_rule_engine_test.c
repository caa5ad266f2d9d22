/* Triggers, ends and memory, with a clock of the test's own. */
#include "test/unit/policy/reply_rule_bench.h"

static void at_once_is_at_once_and_not_twice(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when at once do suspend on lane for 10m");
    assert_int_equal(hear(&bench, "not what is meant"), 0);
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 10 * MINUTE);
    assert_int_equal(bench.actions[0].step->verb, RULE_SUSPEND);
    bench.now_ms += SECOND;
    assert_int_equal(hear(&bench, "slow"), 0);
    end(&bench);
}

static void n_in_a_window_is_reached_by_n_and_by_no_fewer(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 1h do limit 10/m on provider for 30m");
    for (int round = 0; round < 50; round++) { /* two in any hour */
        assert_int_equal(hear(&bench, "slow"), 0);
        bench.now_ms += 31 * MINUTE;
    }
    bench.now_ms += HOUR;
    assert_int_equal(hear(&bench, "slow"), 0);
    bench.now_ms += MINUTE;
    assert_int_equal(hear(&bench, "slow"), 0);
    bench.now_ms += MINUTE;
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].step->limits.messages_per_minute, 10);
    end(&bench);
}

static void a_count_never_covers_more_than_its_window(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on lane for 1h");
    for (int64_t at = 0; at < HOUR; at += 7 * MINUTE) {
        bench.now_ms = BEGIN + at;
        assert_int_equal(hear(&bench, "slow"), 0);
        bench.now_ms += HOUR;
        assert_int_equal(hear(&bench, "slow"), 0);
        reply_rule_engine_fini(&bench.engine);
    }
    end(&bench);
}

static void the_milder_step_comes_first(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 1h do limit 1/m on lane for 15m\n"
                  "when 5 in 1h do suspend on lane for 30m");
    for (int n = 1; n <= 5; n++) {
        size_t n_actions = hear(&bench, "slow");

        assert_int_equal(n_actions, n == 3 || n == 5);
        if (n == 3)
            assert_int_equal(bench.actions[0].step->verb, RULE_LIMIT);
        if (n == 5)
            assert_int_equal(bench.actions[0].step->verb, RULE_SUSPEND);
        bench.now_ms += SECOND;
    }
    end(&bench);
}

static void a_ratio_needs_attempts_and_knows_what_went_well(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 30% of 50 in 1h do suspend on provider for 1h");
    for (int i = 0; i < 40; i++)
        assert_int_equal(hear(&bench, "slow"), 0); /* all fail, but 40 are too few */
    reply_rule_engine_went_well(&bench.engine, &bench.book->rules, &bench.subject, 100,
                                bench.now_ms);
    for (int i = 0; i < 2; i++)
        assert_int_equal(hear(&bench, "slow"), 0); /* 42 of 142 */
    assert_int_equal(hear(&bench, "slow"), 1);     /* 43 of 143: 30 % */
    end(&bench);
}

static void other_failures_are_attempts_too(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 50% of 10 in 1h do suspend on provider for 1h");
    for (int i = 0; i < 8; i++)
        assert_int_equal(hear(&bench, "something else"), 0);
    for (int i = 0; i < 7; i++)
        assert_int_equal(hear(&bench, "slow"), 0); /* 7 of 15 */
    assert_int_equal(hear(&bench, "slow"), 1);
    end(&bench);
}

static void scopes_are_counted_apart(void **state)
{
    static const struct {
        const char *scope;
        bool by_egress, by_site, by_from, by_user, by_recipient;
    } rows[] = {
        {"lane",          true,  true,  false, false, false},
        {"lane_provider", true,  false, false, false, false},
        {"site",          false, true,  false, false, false},
        {"provider",      false, false, false, false, false},
        {"from_domain",   false, false, true,  false, false},
        {"user",          false, false, false, true,  false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char when[100];
        struct bench bench;
        struct reply_subject first;

        snprintf(when, sizeof(when), "when 2 in 1h do suspend on %s for 1h", rows[i].scope);
        begin(&bench, when);
        first = bench.subject;
        assert_int_equal(hear(&bench, "slow"), 0);
#define OTHERWISE(member, is_apart)                                                                \
    do {                                                                                           \
        struct reply_rule_engine fresh;                                                            \
        reply_rule_engine_init(&fresh);                                                            \
        reply_rule_engine_fini(&bench.engine);                                                     \
        bench.engine = fresh;                                                                      \
        bench.subject = first;                                                                     \
        assert_int_equal(hear(&bench, "slow"), 0);                                                 \
        bench.subject.member += 1000;                                                              \
        assert_int_equal(hear(&bench, "slow"), (is_apart) ? 0 : 1);                                \
    } while (0)
        OTHERWISE(egress, rows[i].by_egress);
        OTHERWISE(site, rows[i].by_site);
        OTHERWISE(from_domain, rows[i].by_from);
        OTHERWISE(user, rows[i].by_user);
        OTHERWISE(recipient, rows[i].by_recipient);
        end(&bench);
    }
}

static void a_provider_that_a_rule_does_not_name_is_none_of_its_business(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when at once do suspend on lane for 10m");
    bench.subject.provider = &bench.book->providers.entries[1];
    assert_int_equal(hear(&bench, "slow"), 0);
    bench.subject.provider = NULL;
    assert_int_equal(hear(&bench, "slow"), 0);
    end(&bench);
}

static void said_again_after_its_end_it_is_done_at_once_and_twice_as_long(void **state)
{
    static const int64_t minutes[] = {10, 20, 40, 80, 80};
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 1h do suspend on lane for 10m");
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 0);
    for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
        assert_int_equal(hear(&bench, "slow"), 1);
        assert_int_equal(bench.actions[0].for_ms, minutes[i] * MINUTE);
        bench.now_ms += minutes[i] * MINUTE + SECOND;
    }
    bench.now_ms += 3 * HOUR; /* it was quiet for long: from the beginning */
    assert_int_equal(hear(&bench, "slow"), 0);
    assert_int_equal(hear(&bench, "slow"), 0);
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 10 * MINUTE);
    end(&bench);
}

/* Somebody resumed, or a lower pace was not enough: it is counted from the beginning. */
static void said_while_it_should_hold_it_is_done_anew_but_no_longer(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on lane for 1h");
    assert_int_equal(hear(&bench, "slow") + hear(&bench, "slow"), 1);
    bench.now_ms += 50 * SECOND;
    for (int i = 0; i < 5; i++)
        assert_int_equal(hear(&bench, "slow"), 0); /* these were on their way */
    bench.now_ms += 20 * SECOND;
    assert_int_equal(hear(&bench, "slow"), 0);
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, HOUR);
    end(&bench);
}

static void a_blocked_from_domain_waits_is_probed_and_ends(void **state)
{
    struct bench bench;
    const struct rule_block *block;
    struct reply_subject other;

    (void)state;
    begin(&bench, "when at once do suspend on from_domain for 1h");
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    assert_int_equal(hear(&bench, "slow"), 1);
    block = reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms);
    assert_non_null(block);
    assert_string_equal(block->reason, "rule tested: it said so");
    assert_int_equal(block->until_ms, bench.now_ms + HOUR);
    other = bench.subject;
    other.from_domain++;
    assert_null(reply_rule_engine_block(&bench.engine, &other, bench.now_ms));
    bench.now_ms += HOUR;
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms)); /* one */
    assert_non_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms + SECOND));
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms + MINUTE));
    reply_rule_engine_went_well(&bench.engine, &bench.book->rules, &other, 1, bench.now_ms);
    assert_int_equal(bench.engine.n_blocks, 1);
    reply_rule_engine_went_well(&bench.engine, &bench.book->rules, &bench.subject, 1,
                                bench.now_ms + MINUTE);
    assert_int_equal(bench.engine.n_blocks, 0);
    end(&bench);
}

static void a_campaign_is_held_for_its_time(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when at once do hold on campaign for 1h");
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms)->verb,
                     RULE_HOLD);
    bench.subject.campaign = 0;
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    bench.subject.campaign = 13;
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms + HOUR));
    assert_int_equal(bench.engine.n_blocks, 0);
    end(&bench);
}

static void a_recipient_that_is_full_for_days_is_bounced_each_time_from_then_on(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 2d do bounce on recipient");
    for (int i = 1; i <= 6; i++) {
        assert_int_equal(hear(&bench, "slow"), i >= 3);
        bench.now_ms += HOUR;
    }
    bench.subject.recipient++;
    assert_int_equal(hear(&bench, "slow"), 0);
    end(&bench);
}

/* Twenty thousand recipients of one campaign pass through; what is known of the path stays. */
static void memory_is_bounded_and_recipients_do_not_push_out_paths(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 3 in 1h do bounce on recipient\n"
                  "when 20002 in 1d do suspend on lane for 1h");
    for (uint32_t i = 0; i < 20001; i++) {
        bench.subject.recipient = i + 1;
        assert_int_equal(hear(&bench, "slow"), 0);
    }
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].step->verb, RULE_SUSPEND);
    end(&bench);
}

static void blocks_are_bounded_and_the_one_that_ends_first_makes_room(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when at once do suspend on from_domain for 1h");
    for (uint32_t i = 0; i < RULE_BLOCKS + 1; i++) {
        bench.subject.from_domain = 100 + i;
        assert_int_equal(hear(&bench, "slow"), 1);
        bench.now_ms++;
    }
    assert_int_equal(bench.engine.n_blocks, RULE_BLOCKS);
    assert_non_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    bench.subject.from_domain = 100;
    assert_null(reply_rule_engine_block(&bench.engine, &bench.subject, bench.now_ms));
    end(&bench);
}

/* The rule's name is what is counted by, so a file read again changes nothing. */
static void counts_outlive_a_reload(void **state)
{
    struct bench bench;
    struct receiver_book *fresh;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on lane for 1h");
    assert_int_equal(hear(&bench, "slow"), 0);
    fresh = book_with("when 2 in 1h do suspend on lane for 2h");
    receiver_book_unref(bench.book);
    bench.book = fresh;
    bench.subject.provider = &fresh->providers.entries[0];
    assert_int_equal(hear(&bench, "slow"), 1);
    assert_int_equal(bench.actions[0].for_ms, 2 * HOUR);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once_is_at_once_and_not_twice),
        cmocka_unit_test(n_in_a_window_is_reached_by_n_and_by_no_fewer),
        cmocka_unit_test(a_count_never_covers_more_than_its_window),
        cmocka_unit_test(the_milder_step_comes_first),
        cmocka_unit_test(a_ratio_needs_attempts_and_knows_what_went_well),
        cmocka_unit_test(other_failures_are_attempts_too),
        cmocka_unit_test(scopes_are_counted_apart),
        cmocka_unit_test(a_provider_that_a_rule_does_not_name_is_none_of_its_business),
        cmocka_unit_test(said_again_after_its_end_it_is_done_at_once_and_twice_as_long),
        cmocka_unit_test(said_while_it_should_hold_it_is_done_anew_but_no_longer),
        cmocka_unit_test(a_blocked_from_domain_waits_is_probed_and_ends),
        cmocka_unit_test(a_campaign_is_held_for_its_time),
        cmocka_unit_test(a_recipient_that_is_full_for_days_is_bounced_each_time_from_then_on),
        cmocka_unit_test(memory_is_bounded_and_recipients_do_not_push_out_paths),
        cmocka_unit_test(blocks_are_bounded_and_the_one_that_ends_first_makes_room),
        cmocka_unit_test(counts_outlive_a_reload),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
