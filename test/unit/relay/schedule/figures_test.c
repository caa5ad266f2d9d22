#include "test/support/test_support.h"

#include "relay/schedule/figures.h"
#include "relay/schedule/provider.h"
#include "relay/schedule/schedule.h"

static struct schedule *schedule;
static struct site *site;

static int start(void **state)
{
    static const struct schedule_hooks hooks;
    static const struct site_limits limits = {.connections = 5, .messages_per_hour = 100};

    (void)state;
    if (schedule_new(&schedule, &hooks, 0, 0) < 0)
        return -1;
    site = schedule_make_site(schedule, slice_of("mx.example"), &limits, 0);
    return site ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    schedule = schedule_free(schedule);
    return 0;
}

static void addresses_together_may_what_each_may_up_to_the_providers_limit(void **state)
{
    static const struct site_limits shared = {.connections = 8};

    (void)state;
    assert_int_equal(site_limits_together(site).connections, 5); /* no address of ours yet */
    assert_non_null(site_lane(site, 0));
    assert_non_null(site_lane(site, 1));
    assert_int_equal(site_limits_together(site).connections, 10);
    assert_int_equal(site_limits_together(site).messages_per_hour, 200);
    assert_int_equal(site_limits_together(site).messages_per_day, 0);
    site_set_provider(site, schedule_make_provider(schedule, slice_of("big"), &shared));
    assert_int_equal(site_limits_together(site).connections, 8);
    assert_int_equal(site_limits_together(site).messages_per_hour, 200);
}

static void a_rate_is_that_of_the_last_whole_span(void **state)
{
    (void)state;
    for (int64_t ms = 10000; ms < 20000; ms += 1000)
        bound_pick(&site->bound, CLASS_BULK, false, ms);
    assert_int_equal(site_per_minute(site, 19999), 0); /* the span before */
    assert_int_equal(site_per_minute(site, 20000), 60);
    bound_pick(&site->bound, CLASS_BULK, false, 21000);
    assert_int_equal(site_per_minute(site, 29999), 60);
    assert_int_equal(site_per_minute(site, 30000), 6);
    assert_int_equal(site_per_minute(site, 40000), 0);
}

static void the_oldest_is_the_one_that_the_last_whole_look_met(void **state)
{
    (void)state;
    assert_int_equal(site_age_found(site, 0), 0);
    site_age_note(site, 1, 500);
    assert_int_equal(site_age_found(site, 0), 0); /* it still walks */
    site_age_note(site, 1, 300);
    site_age_note(site, 1, 400);
    assert_int_equal(site_age_found(site, 1), 300);
    site_age_note(site, 2, 450);
    assert_int_equal(site_age_found(site, 1), 300);
    assert_int_equal(site_age_found(site, 2), 450);
    assert_int_equal(site_age_found(site, 3), 0); /* nothing waits any more */
    site_age_note(site, 4, 600);
    assert_int_equal(site_age_found(site, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            addresses_together_may_what_each_may_up_to_the_providers_limit, start, stop),
        cmocka_unit_test_setup_teardown(a_rate_is_that_of_the_last_whole_span, start, stop),
        cmocka_unit_test_setup_teardown(the_oldest_is_the_one_that_the_last_whole_look_met, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
