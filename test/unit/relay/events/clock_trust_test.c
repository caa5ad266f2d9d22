#include "test/support/test_support.h"

#include "relay/events/clock_trust.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const int64_t start_ms = 5000, start_utc_ms = 1800000000000;
static struct clock_trust trust;

/* So long after the start, with a clock that is so far ahead. */
static bool look(int64_t after_ms, int64_t ahead_ms)
{
    return clock_trust_look(&trust, start_ms + after_ms, start_utc_ms + after_ms + ahead_ms);
}

static int start(void **state)
{
    (void)state;
    clock_trust_init(&trust, start_ms, start_utc_ms);
    return 0;
}

static void after_a_short_stop_an_hour_suffices(void **state)
{
    (void)state;
    clock_trust_past(&trust, start_utc_ms - HOUR_MS, start_utc_ms);
    assert_false(look(59 * MINUTE_MS, 0));
    assert_true(look(60 * MINUTE_MS, 0));
}

static void nothing_is_old_before_the_past_is_known(void **state)
{
    (void)state;
    assert_false(look(2 * DAY_MS, 0));
    clock_trust_past(&trust, start_utc_ms, start_utc_ms);
    assert_true(look(2 * DAY_MS, 0));
}

static void who_starts_with_another_date_waits_for_a_day(void **state)
{
    const int64_t stored[] = {0, start_utc_ms - DAY_MS - 1, start_utc_ms + DAY_MS + 1};

    for (unsigned i = 0; i < 3; i++) {
        (void)start(state);
        clock_trust_past(&trust, stored[i], start_utc_ms);
        assert_false(look(DAY_MS - 1, 0));
        assert_true(look(DAY_MS, 0));
    }
}

static void a_jump_ends_the_trust_for_a_day_and_so_does_the_way_back(void **state)
{
    const int64_t year_ms = 365LL * DAY_MS;

    (void)state;
    clock_trust_past(&trust, start_utc_ms, start_utc_ms);
    assert_true(look(2 * HOUR_MS, 0));
    assert_false(look(3 * HOUR_MS, year_ms));
    assert_false(look(20 * HOUR_MS, year_ms));
    assert_false(look(21 * HOUR_MS, 0));
    assert_false(look(21 * HOUR_MS + DAY_MS - 1, 0));
    assert_true(look(21 * HOUR_MS + DAY_MS, 0));
}

static void small_corrections_do_not_matter(void **state)
{
    (void)state;
    clock_trust_past(&trust, start_utc_ms, start_utc_ms);
    for (int64_t hour = 1; hour < 50; hour++)
        assert_true(look(hour * HOUR_MS, hour % 2 * 59 * MINUTE_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_a_short_stop_an_hour_suffices, start),
        cmocka_unit_test_setup(nothing_is_old_before_the_past_is_known, start),
        cmocka_unit_test_setup(who_starts_with_another_date_waits_for_a_day, start),
        cmocka_unit_test_setup(a_jump_ends_the_trust_for_a_day_and_so_does_the_way_back, start),
        cmocka_unit_test_setup(small_corrections_do_not_matter, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
