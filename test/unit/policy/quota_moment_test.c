/* When a message that is over a quota may leave, and who is told. */
#include "test/support/test_support.h"

#include <stdlib.h>
#include <time.h>

#include "policy/quota_account.h"

enum { USER = 7, HOUR_MS = 3600000 };

static struct quota_book book;
static struct quota_limits limits;
static struct quota_answer answer;
static int64_t utc_ms;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    utc_ms = 1795428000000; /* 2026-11-23 10:00 UTC */
    limits = (struct quota_limits){0};
    quota_book_init(&book, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    quota_book_fini(&book);
    return 0;
}

static void charge(uint32_t n_recipients)
{
    struct quota_charge charge = {USER, n_recipients, false};

    assert_int_equal(quota_book_charge(&book, &limits, &charge, HOUR_MS, utc_ms, &answer), 0);
}

/* Each hour is full before the next, as far as it is looked ahead. */
static void the_hours_fill_up_to_the_horizon_and_no_further(void **state)
{
    int n_hours = QUOTA_HORIZON_DAYS * 24 + 1;

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 20;
    for (int hour = 0; hour < n_hours; hour++)
        for (int i = 0; i < 20; i++) {
            charge(1);
            assert_int_equal(answer.counted_utc_ms, utc_ms + (int64_t)hour * HOUR_MS);
        }
    charge(1);
    assert_true(answer.is_held);
    assert_int_equal(answer.until_utc_ms, 0);
}

/* The rows of a start come in any order. */
static void counts_are_found_whatever_order_they_came_in(void **state)
{
    static const int hours[] = {5, 1, 3, 0, 2, 9, 4};

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 10;
    for (unsigned i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
        struct quota_row row = {.user_id = USER,
                                .budget = QUOTA_MESSAGES_PER_HOUR,
                                .period = period_at(PERIOD_HOUR, utc_ms + hours[i] * HOUR_MS),
                                .reserved = 10};

        assert_int_equal(quota_book_load(&book, &row), 0);
    }
    for (int i = 0; i < 10; i++) {
        charge(1);
        assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)6 * HOUR_MS);
    }
    charge(1);
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)7 * HOUR_MS);
    quota_book_refund(&book, &(struct quota_refund){.user_id = USER,
                                                    .n_messages = 1,
                                                    .counted_utc_ms = utc_ms + 2 * HOUR_MS});
    charge(1);
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)2 * HOUR_MS);
    utc_ms += (int64_t)8 * HOUR_MS; /* what is past is forgotten */
    charge(1);
    assert_false(answer.is_held);
    utc_ms += HOUR_MS;
    charge(1);
    assert_int_equal(answer.until_utc_ms, utc_ms + HOUR_MS);
}

static void what_is_above_a_quota_does_not_use_it_up(void **state)
{
    (void)state;
    limits.budgets[QUOTA_RECIPIENTS_PER_DAY] = 50;
    charge(1);
    charge(51);
    assert_true(answer.is_held);
    assert_int_equal(answer.n_warnings, 0);
}

/* Tomorrow is full, by what is held until then; of today much is left. */
static void nobody_is_told_that_tomorrow_is_used_up(void **state)
{
    (void)state;
    utc_ms += (int64_t)13 * HOUR_MS; /* the day's last hour */
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 1;
    limits.budgets[QUOTA_RECIPIENTS_PER_DAY] = 100;
    charge(1);
    charge(100);
    assert_int_equal(answer.until_utc_ms, utc_ms + HOUR_MS);
    charge(1);
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)25 * HOUR_MS);
    assert_int_equal(answer.budget, QUOTA_RECIPIENTS_PER_DAY);
    assert_int_equal(answer.n_warnings, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_hours_fill_up_to_the_horizon_and_no_further),
        TEST(counts_are_found_whatever_order_they_came_in),
        TEST(what_is_above_a_quota_does_not_use_it_up),
        TEST(nobody_is_told_that_tomorrow_is_used_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
