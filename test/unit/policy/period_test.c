/* Days and months as several zones have them. */
#include "test/support/test_support.h"

#include <stdlib.h>
#include <time.h>

#include "policy/period.h"

enum { HOUR_S = 3600 };

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* Local wall-clock time, as the C library knows it. */
static int64_t utc_ms_of(int year, int month, int day, int hour)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm) * 1000;
}

static int64_t hours_of(enum period_unit unit, int64_t utc_ms)
{
    struct period period = period_at(unit, utc_ms);

    assert_true(period.starts_utc_ms <= utc_ms && utc_ms < period.ends_utc_ms);
    return (period.ends_utc_ms - period.starts_utc_ms) / 1000 / HOUR_S;
}

static void days_have_23_24_or_25_hours(void **state)
{
    (void)state;
    use_zone("Europe/Rome");
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2026, 3, 28, 12)), 24);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2026, 3, 29, 12)), 23);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2026, 3, 29, 1)), 23);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2026, 10, 25, 12)), 25);
    assert_int_equal(period_at(PERIOD_DAY, utc_ms_of(2026, 10, 25, 23)).ends_utc_ms,
                     utc_ms_of(2026, 10, 26, 0));
}

static void months_end_where_they_end(void **state)
{
    static const struct {
        int year, month, hours;
    } cases[] = {
        {2026, 1,  31 * 24    },
        {2026, 2,  28 * 24    },
        {2028, 2,  29 * 24    },
        {2026, 3,  31 * 24 - 1},
        {2026, 10, 31 * 24 + 1},
        {2026, 12, 31 * 24    },
    };

    (void)state;
    use_zone("Europe/Rome");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hours_of(PERIOD_MONTH, utc_ms_of(cases[i].year, cases[i].month, 1, 0)),
                         cases[i].hours);
        assert_int_equal(hours_of(PERIOD_MONTH, utc_ms_of(cases[i].year, cases[i].month, 28, 23)),
                         cases[i].hours);
    }
    assert_int_equal(period_at(PERIOD_MONTH, utc_ms_of(2026, 12, 31, 23)).ends_utc_ms,
                     utc_ms_of(2027, 1, 1, 0));
}

static void the_zone_decides_which_day_it_is(void **state)
{
    int64_t utc_ms = 1795392000000; /* 2026-11-23 00:00 UTC */

    (void)state;
    use_zone("UTC");
    assert_int_equal(period_at(PERIOD_DAY, utc_ms).starts_utc_ms, utc_ms);
    assert_int_equal(period_at(PERIOD_DAY, utc_ms - 1).ends_utc_ms, utc_ms);
    use_zone("America/New_York");
    assert_int_equal(period_at(PERIOD_DAY, utc_ms).ends_utc_ms, utc_ms + 5 * HOUR_S * 1000);
    use_zone("Asia/Kolkata");
    assert_int_equal(period_at(PERIOD_DAY, utc_ms).starts_utc_ms, utc_ms - 11 * 1800 * 1000);
}

/* In Beirut clocks go from 23:59 to 01:00, in Havana from 00:59 back to 00:00. */
static void midnights_that_are_missing_or_come_twice(void **state)
{
    (void)state;
    use_zone("Asia/Beirut");
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 3, 28, 12)), 23);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 3, 27, 12)), 24);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 10, 30, 12)), 25);
    use_zone("America/Havana");
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 3, 14, 12)), 23);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 11, 7, 12)), 25);
    assert_int_equal(hours_of(PERIOD_DAY, utc_ms_of(2021, 11, 6, 12)), 24);
}

/* Whatever the zone: the end of each is the start of the next, for three years. */
static void periods_follow_each_other_without_a_gap(void **state)
{
    static const char *const zones[] = {
        "Europe/Rome",         "America/Havana",    "Asia/Beirut",      "Pacific/Apia",
        "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca"};

    (void)state;
    for (size_t zone = 0; zone < sizeof(zones) / sizeof(zones[0]); zone++)
        for (enum period_unit unit = PERIOD_HOUR; unit < N_PERIOD_UNITS; unit++) {
            struct period period;
            int64_t at_ms = 1293796800000; /* 2010-12-31: Apia will leave out a whole day */

            use_zone(zones[zone]);
            period = period_at(unit, at_ms);
            for (int i = 0; i < (unit == PERIOD_MONTH ? 36 : 1100); i++) {
                struct period next = period_at(unit, period.ends_utc_ms);

                assert_true(period.ends_utc_ms > period.starts_utc_ms);
                assert_int_equal(next.starts_utc_ms, period.ends_utc_ms);
                assert_int_equal(period_at(unit, period.ends_utc_ms - 1).ends_utc_ms,
                                 period.ends_utc_ms);
                period = next;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_have_23_24_or_25_hours),
        cmocka_unit_test(months_end_where_they_end),
        cmocka_unit_test(the_zone_decides_which_day_it_is),
        cmocka_unit_test(midnights_that_are_missing_or_come_twice),
        cmocka_unit_test(periods_follow_each_other_without_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
