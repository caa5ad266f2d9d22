/* Both clocks are variables; the zone is Rome's. */
#include "test/support/test_support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/quota_account.h"

enum { USER = 7, HOUR_MS = 3600000 };

static struct quota_book book;
static struct quota_limits limits;
static struct quota_answer answer;
static int64_t now_ms, utc_ms;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Rome", 1);
    tzset();
    now_ms = 1000000;
    utc_ms = 1795428000000; /* 2026-11-23 10:00 UTC, 11:00 in Rome */
    limits = (struct quota_limits){0};
    quota_book_init(&book, now_ms);
    now_ms += HOUR_MS; /* buckets have filled */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    quota_book_fini(&book);
    return 0;
}

static void pass_time(int64_t ms)
{
    now_ms += ms;
    utc_ms += ms;
}

static void charge(uint32_t n_recipients)
{
    struct quota_charge charge = {USER, n_recipients, false};

    assert_int_equal(quota_book_charge(&book, &limits, &charge, now_ms, utc_ms, &answer), 0);
}

/* As the disk does: everything that is to be stored is; returns how many rows that were. */
static uint32_t store(void)
{
    struct quota_row rows[64];
    uint32_t n, n_all = 0;

    while ((n = quota_book_take(&book, rows, 64)) > 0) {
        for (uint32_t i = 0; i < n; i++)
            quota_book_stored(&book, &rows[i], true);
        n_all += n;
    }
    return n_all;
}

static uint32_t used(enum quota_budget budget)
{
    uint32_t all[N_QUOTA_BUDGETS];

    quota_book_usage(&book, USER, utc_ms, all);
    return all[budget];
}

static void without_limits_everything_passes_and_is_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        charge(100);
        assert_false(answer.is_held);
        assert_true(answer.is_durable);
        assert_int_equal(answer.delay_ms, 0);
    }
    assert_int_equal(used(QUOTA_RECIPIENTS_PER_DAY), 100000);
    assert_int_equal(used(QUOTA_MESSAGES_PER_HOUR), 1000);
    assert_int_equal(store(), 0);
}

static void over_a_quota_mail_is_held_until_the_next_period(void **state)
{
    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 3;
    utc_ms += 20 * 60000;
    for (int i = 0; i < 3; i++) {
        charge(1);
        assert_false(answer.is_held);
    }
    charge(1);
    assert_true(answer.is_held);
    assert_int_equal(answer.budget, QUOTA_MESSAGES_PER_HOUR);
    assert_int_equal(answer.until_utc_ms, utc_ms + 40 * 60000);
}

/* Ten times a quota of three: three leave in each of the hours that follow, in order. */
static void what_waits_takes_the_room_of_the_periods_to_come(void **state)
{
    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 3;
    for (int i = 0; i < 30; i++) {
        charge(1);
        assert_int_equal(answer.is_held, i >= 3);
        if (answer.is_held)
            assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)(i / 3) * HOUR_MS);
    }
    pass_time(HOUR_MS);
    charge(1); /* the present hour is that of the fourth to sixth */
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)9 * HOUR_MS);
    pass_time((int64_t)20 * HOUR_MS);
    charge(1);
    assert_false(answer.is_held);
}

static void a_day_ends_by_the_calendar(void **state)
{
    (void)state;
    limits.budgets[QUOTA_RECIPIENTS_PER_DAY] = 100;
    charge(100);
    assert_false(answer.is_held);
    charge(1);
    assert_true(answer.is_held);
    assert_int_equal(answer.budget, QUOTA_RECIPIENTS_PER_DAY);
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)13 * HOUR_MS); /* midnight in Rome */
}

static void all_budgets_must_have_room(void **state)
{
    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 2;
    limits.budgets[QUOTA_RECIPIENTS_PER_DAY] = 30;
    limits.budgets[QUOTA_RECIPIENTS_PER_MONTH] = 45;
    charge(10);
    charge(10);
    assert_false(answer.is_held);
    charge(10);
    assert_int_equal(answer.until_utc_ms, utc_ms + HOUR_MS); /* today has room, this hour not */
    charge(10);
    assert_int_equal(answer.budget, QUOTA_RECIPIENTS_PER_DAY);
    assert_int_equal(answer.until_utc_ms, utc_ms + (int64_t)13 * HOUR_MS);
    charge(10);
    assert_int_equal(answer.budget, QUOTA_RECIPIENTS_PER_MONTH);
    assert_int_equal(answer.until_utc_ms, period_at(PERIOD_MONTH, utc_ms).ends_utc_ms);
}

static void what_fits_no_period_waits_for_an_operator(void **state)
{
    (void)state;
    limits.budgets[QUOTA_RECIPIENTS_PER_HOUR] = 50;
    charge(51);
    assert_true(answer.is_held);
    assert_int_equal(answer.until_utc_ms, 0);
    assert_int_equal(answer.counted_utc_ms, 0);
    charge(50);
    assert_false(answer.is_held); /* and takes nobody's room */
}

static void each_warning_comes_once_a_period(void **state)
{
    unsigned n_eighty = 0, n_hundred = 0;

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 10;
    for (int hour = 1; hour <= 3; hour++) {
        for (int i = 1; i <= 10; i++) {
            charge(1);
            for (unsigned w = 0; w < answer.n_warnings; w++) {
                assert_int_equal(answer.warnings[w].budget, QUOTA_MESSAGES_PER_HOUR);
                assert_int_equal(answer.warnings[w].used, i);
                assert_int_equal(i, answer.warnings[w].percent == 80 ? 8 : 10);
                n_eighty += answer.warnings[w].percent == 80;
                n_hundred += answer.warnings[w].percent == 100;
            }
        }
        assert_int_equal(n_eighty, hour);
        assert_int_equal(n_hundred, hour);
        pass_time(HOUR_MS);
    }
}

static void what_is_held_although_some_is_left_is_told_as_used_up(void **state)
{
    (void)state;
    limits.budgets[QUOTA_RECIPIENTS_PER_HOUR] = 100;
    charge(70);
    assert_int_equal(answer.n_warnings, 0);
    charge(40);
    assert_true(answer.is_held);
    assert_int_equal(answer.n_warnings, 1);
    assert_int_equal(answer.warnings[0].percent, 100);
}

static void nothing_passes_that_is_not_reserved(void **state)
{
    uint32_t n_stores = 0, n_waited = 0;

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_DAY] = 1000; /* blocks of 50 */
    for (int i = 0; i < 1000; i++) {
        charge(1);
        n_waited += !answer.is_durable;
        if (!answer.is_durable || i % 10 == 0)
            n_stores += store();
    }
    assert_int_equal(n_waited, 1); /* the first; later blocks are asked for in time */
    assert_true(n_stores >= 1000 / 50 && n_stores < 60);
}

static void row_of_budget(enum quota_budget budget, uint32_t reserved, struct quota_row *row)
{
    *row =
        (struct quota_row){USER, budget, period_at(quota_budget_unit(budget), utc_ms), reserved, 0};
}

/* Killed at any moment, any number of times: never more than the budget. */
static void crashes_lose_room_but_never_pass_more(void **state)
{
    struct quota_row disk[64];
    uint32_t n_disk = 0, n_passed = 0;

    (void)state;
    srand(4711);
    limits.budgets[QUOTA_MESSAGES_PER_DAY] = 400;
    for (int life = 0; life < 60; life++) {
        int n = rand() % 20;

        for (int i = 0; i < n; i++) {
            struct quota_row rows[8];
            uint32_t n_rows;

            charge(1);
            if (!answer.is_durable || rand() % 3 == 0) {
                n_rows = quota_book_take(&book, rows, 8);
                for (uint32_t r = 0; r < n_rows; r++) {
                    quota_book_stored(&book, &rows[r], true);
                    n_disk = 1;
                    disk[0] = rows[r].period.starts_utc_ms <= utc_ms ? rows[r] : disk[0];
                }
            }
            n_passed += !answer.is_held;
        }
        quota_book_fini(&book);
        quota_book_init(&book, now_ms - HOUR_MS);
        for (uint32_t i = 0; i < n_disk; i++)
            assert_int_equal(quota_book_load(&book, &disk[i]), 0);
    }
    assert_true(n_passed <= 400);
    assert_true(n_passed > 100);
}

static void a_clean_stop_loses_no_room(void **state)
{
    struct quota_row rows[8];

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_DAY] = 1000;
    charge(1);
    store();
    quota_book_settle(&book, utc_ms);
    assert_int_equal(quota_book_take(&book, rows, 8), 1);
    assert_int_equal(rows[0].reserved, 1);
    assert_int_equal(rows[0].budget, QUOTA_MESSAGES_PER_DAY);
}

static void what_could_not_be_stored_is_taken_again(void **state)
{
    struct quota_row rows[8];

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_DAY] = 1000;
    charge(1);
    assert_int_equal(quota_book_take(&book, rows, 8), 1);
    assert_int_equal(quota_book_take(&book, rows, 8), 0);
    quota_book_stored(&book, &rows[0], false);
    assert_int_equal(quota_book_take(&book, rows, 8), 1);
    assert_int_equal(rows[0].reserved, 51);
}

static void a_start_takes_what_was_reserved_as_used(void **state)
{
    struct quota_row row;

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_DAY] = 100;
    row_of_budget(QUOTA_MESSAGES_PER_DAY, 98, &row);
    row.told = 80;
    assert_int_equal(quota_book_load(&book, &row), 0);
    charge(1);
    assert_false(answer.is_held);
    assert_int_equal(answer.n_warnings, 0); /* told before the start */
    charge(1);
    charge(1);
    assert_true(answer.is_held);
}

static void what_did_not_come_is_given_back(void **state)
{
    struct quota_refund refund = {USER, 1, 10, 0, 0};

    (void)state;
    limits.budgets[QUOTA_RECIPIENTS_PER_DAY] = 10;
    charge(10);
    refund.counted_utc_ms = answer.counted_utc_ms;
    charge(10);
    assert_true(answer.is_held);
    quota_book_refund(&book, &refund);
    charge(10);
    assert_false(answer.is_held);
}

/* Over any ten minutes a rate of 60 a minute sees at most 600 and what the bucket holds, if each
 * waits as long as it is told. */
static void a_rate_is_kept_by_those_who_wait(void **state)
{
    int n = 0;

    (void)state;
    limits.rates[QUOTA_MESSAGES_PER_MINUTE] = 60;
    for (int64_t end_ms = now_ms + 600000; now_ms < end_ms; n++) {
        charge(1);
        assert_true(answer.delay_ms <= QUOTA_MOST_DELAY_MS);
        pass_time(answer.delay_ms + 1);
    }
    assert_in_range(n, 550, 611);
}

static void buckets_start_empty(void **state)
{
    (void)state;
    quota_book_fini(&book);
    quota_book_init(&book, now_ms);
    limits.rates[QUOTA_RECIPIENTS_PER_MINUTE] = 600;
    charge(10);
    assert_int_equal(answer.delay_ms, 1000);
}

static void a_quarter_of_the_sessions_may_wait(void **state)
{
    int n = 0;

    (void)state;
    charge(1);
    while (quota_book_may_delay(&book, USER, 16))
        n++;
    assert_int_equal(n, 4);
    quota_book_delay_ended(&book, USER);
    assert_true(quota_book_may_delay(&book, USER, 16));
    assert_false(quota_book_may_delay(&book, USER, 16));
}

static void a_class_above_its_budget_is_bulk(void **state)
{
    struct quota_charge transactional = {USER, 5, true};

    (void)state;
    limits.budgets[QUOTA_TRANSACTIONAL_PER_HOUR] = 10;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(quota_book_charge(&book, &limits, &transactional, now_ms, utc_ms, &answer),
                         0);
        assert_false(answer.is_held);
        assert_int_equal(answer.is_transactional, i < 2);
        assert_int_equal(answer.n_warnings, 0); /* nothing is held for it */
    }
    assert_true(quota_book_class_exceeded(&book, USER, utc_ms));
    assert_false(quota_book_class_exceeded(&book, USER, utc_ms)); /* told once an hour */
    pass_time(HOUR_MS);
    assert_int_equal(quota_book_charge(&book, &limits, &transactional, now_ms, utc_ms, &answer), 0);
    assert_true(answer.is_transactional);
}

static void memory_is_bounded_as_periods_pass(void **state)
{
    size_t n_counts = 0;

    (void)state;
    limits.budgets[QUOTA_MESSAGES_PER_HOUR] = 10;
    for (int i = 0; i < 5000; i++) {
        charge(1);
        store();
        pass_time(HOUR_MS);
    }
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        for (struct quota_count *count = quota_account_find(&book, USER)->counts[i]; count;
             count = count->next)
            n_counts++;
    assert_in_range(n_counts, N_QUOTA_BUDGETS, 3 * N_QUOTA_BUDGETS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_limits_everything_passes_and_is_counted),
        TEST(over_a_quota_mail_is_held_until_the_next_period),
        TEST(what_waits_takes_the_room_of_the_periods_to_come),
        TEST(a_day_ends_by_the_calendar),
        TEST(all_budgets_must_have_room),
        TEST(what_fits_no_period_waits_for_an_operator),
        TEST(each_warning_comes_once_a_period),
        TEST(what_is_held_although_some_is_left_is_told_as_used_up),
        TEST(nothing_passes_that_is_not_reserved),
        TEST(crashes_lose_room_but_never_pass_more),
        TEST(a_clean_stop_loses_no_room),
        TEST(what_could_not_be_stored_is_taken_again),
        TEST(a_start_takes_what_was_reserved_as_used),
        TEST(what_did_not_come_is_given_back),
        TEST(a_rate_is_kept_by_those_who_wait),
        TEST(buckets_start_empty),
        TEST(a_quarter_of_the_sessions_may_wait),
        TEST(a_class_above_its_budget_is_bulk),
        TEST(memory_is_bounded_as_periods_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
