/* What one of a provider's sites says, and what two say. */
#include "test/unit/policy/reply_rule_bench.h"

static enum rule_scope heard_at(struct bench *bench, uint64_t site)
{
    bench->subject.site = site;
    return hear(bench, "slow") == 1 ? bench->actions[0].scope : N_RULE_SCOPES;
}

static void one_tenant_suspends_its_own_site_alone(void **state)
{
    static const struct {
        const char *when;
        enum rule_scope here, everywhere;
    } rows[] = {
        {"when 3 in 1h do suspend on provider for 1h",      RULE_ON_SITE, RULE_ON_PROVIDER     },
        {"when 3 in 1h do suspend on lane_provider for 1h", RULE_ON_LANE, RULE_ON_LANE_PROVIDER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;

        begin(&bench, rows[i].when);
        assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
        assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
        assert_int_equal(heard_at(&bench, 1), rows[i].here);
        for (int n = 0; n < 20; n++)
            assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES); /* it was on its way */
        assert_int_equal(heard_at(&bench, 2), rows[i].everywhere);
        assert_int_equal(heard_at(&bench, 3), N_RULE_SCOPES); /* in force */
        end(&bench);
    }
}

static void at_once_is_the_sites_at_once_and_the_providers_with_the_second(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when at once do suspend on provider for 10m");
    assert_int_equal(heard_at(&bench, 1), RULE_ON_SITE);
    bench.now_ms += 5 * MINUTE;
    assert_int_equal(heard_at(&bench, 2), RULE_ON_PROVIDER);
    end(&bench);
}

static void a_second_site_counts_only_within_the_window(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on provider for 10m");
    assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
    bench.now_ms += 61 * MINUTE;
    assert_int_equal(heard_at(&bench, 2), N_RULE_SCOPES);
    assert_int_equal(heard_at(&bench, 2), RULE_ON_SITE);
    end(&bench);
}

static void said_again_after_the_end_one_site_is_enough(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do suspend on provider for 10m");
    assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
    assert_int_equal(heard_at(&bench, 2), RULE_ON_PROVIDER);
    bench.now_ms += 10 * MINUTE + SECOND;
    assert_int_equal(heard_at(&bench, 2), RULE_ON_PROVIDER);
    assert_int_equal(bench.actions[0].for_ms, 20 * MINUTE);
    end(&bench);
}

static void a_notice_needs_no_second_site(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 2 in 1h do notify on provider");
    assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
    assert_int_equal(heard_at(&bench, 1), RULE_ON_PROVIDER);
    end(&bench);
}

static void a_ratio_knows_each_site_and_all(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 50% of 10 in 1h do suspend on provider for 1h");
    bench.subject.site = 2;
    reply_rule_engine_went_well(&bench.engine, &bench.book->rules, &bench.subject, 100,
                                bench.now_ms);
    for (int i = 0; i < 9; i++)
        assert_int_equal(heard_at(&bench, 1), N_RULE_SCOPES);
    assert_int_equal(heard_at(&bench, 1), RULE_ON_SITE); /* 10 of 10 there, 10 of 110 in all */
    assert_int_equal(heard_at(&bench, 3), N_RULE_SCOPES);
    end(&bench);
}

/* Twenty thousand sites of nobody, or of tenants, say the same meanwhile. */
static void noise_makes_nobody_forget_a_provider(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, "when 20002 in 1d do suspend on provider for 1h\n"
                  "when 3 in 1h do suspend on lane for 1h");
    for (uint64_t site = 1; site <= 20001; site++) {
        bench.subject.site = site;
        assert_int_equal(hear(&bench, "slow"), 0);
    }
    assert_int_equal(heard_at(&bench, 200000), RULE_ON_PROVIDER);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_tenant_suspends_its_own_site_alone),
        cmocka_unit_test(at_once_is_the_sites_at_once_and_the_providers_with_the_second),
        cmocka_unit_test(a_second_site_counts_only_within_the_window),
        cmocka_unit_test(said_again_after_the_end_one_site_is_enough),
        cmocka_unit_test(a_notice_needs_no_second_site),
        cmocka_unit_test(a_ratio_knows_each_site_and_all),
        cmocka_unit_test(noise_makes_nobody_forget_a_provider),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
