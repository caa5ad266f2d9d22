/* Young addresses against receivers that have an opinion; 30 days in the zone of Rome, over the
 * change of the clocks. */
#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/warm_up.h"

enum { HOUR_MS = 3600000, DAYS = 30 };
#define DAY_MS       (24 * (int64_t)HOUR_MS)
#define START_UTC_MS INT64_C(1790028000000) /* 2026-09-22 00:00 in Rome */

static struct warm_up_book book, disk;
static struct warm_up_curve curve;
static struct warm_up_answer answer;
static int64_t utc_ms;

#define ADDRESS  SLICE_LITERAL("192.0.2.1")
#define PROVIDER SLICE_LITERAL("gmail")

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Rome", 1);
    tzset();
    utc_ms = START_UTC_MS;
    warm_up_book_init(&book);
    warm_up_book_init(&disk);
    assert_true(warm_up_curve_parse(SLICE_LITERAL("yes"), &curve));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    warm_up_book_fini(&book);
    warm_up_book_fini(&disk);
    return 0;
}

static struct warm_up *it(void)
{
    struct warm_up *warm_up = warm_up_find(&book, ADDRESS, PROVIDER, utc_ms);

    assert_non_null(warm_up);
    return warm_up;
}

static void store(void)
{
    assert_int_equal(warm_up_book_load(&disk, ADDRESS, PROVIDER, &it()->state), 0);
}

static void tell(struct warm_up_news news)
{
    warm_up_ask(it(), &curve, &news, utc_ms, &answer);
    store();
}

/* Asks for blocks until there is no more; what the day allows. */
static uint32_t send_all(void)
{
    uint32_t n = 0;

    do {
        tell((struct warm_up_news){.wants_some = true});
        n += answer.n_granted;
    } while (answer.n_granted);
    return n;
}

/* A kill: only what the disk knows is left. */
static void restart(void)
{
    struct warm_up *stored = warm_up_find(&disk, ADDRESS, PROVIDER, utc_ms);
    struct warm_up_state state = stored->state;

    warm_up_book_fini(&book);
    warm_up_book_init(&book);
    assert_int_equal(warm_up_book_load(&book, ADDRESS, PROVIDER, &state), 0);
}

static void expect_curve(const char *text, bool is_good, uint32_t n_days)
{
    struct warm_up_curve parsed;

    assert_int_equal(warm_up_curve_parse(slice_of(text), &parsed), is_good);
    if (is_good)
        assert_int_equal(parsed.n_days, n_days);
}

static void a_curve_is_rising_numbers(void **state)
{
    char long_one[400] = "1";

    (void)state;
    expect_curve("no", true, 0);
    expect_curve("", true, 0);
    expect_curve("yes", true, 20);
    expect_curve("50", true, 1);
    expect_curve("50, 100 200,400", true, 4);
    expect_curve("50, 50", false, 0);
    expect_curve("0, 50", false, 0);
    expect_curve("50, many", false, 0);
    expect_curve(",50", false, 0);
    for (int i = 2; i <= WARM_UP_MOST_DAYS; i++)
        snprintf(long_one + strlen(long_one), sizeof(long_one) - strlen(long_one), " %d", i);
    expect_curve(long_one, true, WARM_UP_MOST_DAYS);
    strcat(long_one, " 99");
    expect_curve(long_one, false, 0);
}

static void an_accepted_address_follows_the_curve_and_is_warm(void **state)
{
    (void)state;
    for (uint32_t day = 1; day <= curve.n_days; day++, utc_ms += DAY_MS) {
        uint32_t n = send_all();

        assert_int_equal(n, curve.messages[day - 1]);
        assert_int_equal(answer.day, day);
        tell((struct warm_up_news){.n_well = n});
    }
    tell((struct warm_up_news){.wants_some = true});
    assert_true(answer.is_warm);
    assert_int_equal(answer.move, WARM_UP_ADVANCES);
}

/* The receiver takes `welcome` messages a day and puts off the rest; that grows by a fifth each
 * day.  No day may see more than its room, and what is put off stays little over the month. */
static void thirty_days_with_a_receiver_of_its_own_mind(void **state)
{
    uint32_t n_moves[3] = {0}, n_all = 0, n_put_off = 0, welcome = 60;

    (void)state;
    for (int day = 0; day < DAYS; day++, utc_ms += DAY_MS, welcome += welcome / 5) {
        uint32_t sent = 0, limit = 0;

        for (;;) {
            uint32_t well;

            tell((struct warm_up_news){.wants_some = true});
            n_moves[answer.move]++;
            limit = answer.limit > limit ? answer.limit : limit;
            if (!answer.n_granted)
                break;
            well = sent >= welcome                      ? 0
                   : sent + answer.n_granted <= welcome ? answer.n_granted
                                                        : welcome - sent;
            sent += answer.n_granted;
            n_put_off += answer.n_granted - well;
            tell((struct warm_up_news){.n_well = well, .n_put_off = answer.n_granted - well});
            n_moves[answer.move]++;
            if (day % 7 == 3)
                restart();
        }
        assert_true(sent <= limit);
        n_all += sent;
    }
    assert_true(n_moves[WARM_UP_ADVANCES] > 8);
    assert_true(n_moves[WARM_UP_STEPS_BACK] > 0);
    assert_true(n_put_off * 10 < n_all);
    assert_true(answer.day > 5 && answer.day < curve.n_days);
}

static void a_day_of_many_deferrals_steps_back_at_once(void **state)
{
    (void)state;
    for (int day = 0; day < 3; day++, utc_ms += DAY_MS)
        tell((struct warm_up_news){.n_well = send_all()});
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.day, 4);
    tell((struct warm_up_news){.n_well = 5, .n_put_off = 9});
    assert_int_equal(answer.day, 4);
    tell((struct warm_up_news){.n_put_off = 1});
    assert_int_equal(answer.move, WARM_UP_STEPS_BACK);
    assert_int_equal(answer.day, 3);
    assert_int_equal(answer.limit, curve.messages[2]);
    tell((struct warm_up_news){.n_put_off = 50}); /* once a day */
    assert_int_equal(answer.day, 3);
    utc_ms += DAY_MS;
    tell((struct warm_up_news){.wants_some = true}); /* and such a day does not advance */
    assert_int_equal(answer.day, 3);
}

static void a_few_deferrals_make_it_stay(void **state)
{
    uint32_t n = send_all();

    (void)state;
    tell((struct warm_up_news){.n_well = n - 5, .n_put_off = 5}); /* 10 % */
    utc_ms += DAY_MS;
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.move, WARM_UP_STAYS);
    assert_int_equal(answer.day, 1);
}

static void a_day_that_sent_little_teaches_little(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) /* 20 of 50 */
        tell((struct warm_up_news){.wants_some = true, .n_well = 5});
    utc_ms += DAY_MS;
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.day, 1);
    for (int i = 0; i < 4; i++) /* 25 of 50 */
        tell((struct warm_up_news){.wants_some = true, .n_well = 5});
    utc_ms += DAY_MS;
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.day, 2);
}

static void a_kill_loses_room_and_never_makes_any(void **state)
{
    uint32_t n = 0;

    (void)state;
    for (int kill = 0; kill < 100; kill++) {
        tell((struct warm_up_news){.wants_some = true});
        n += answer.n_granted;
        restart();
    }
    assert_int_equal(n, 50);
}

static void what_was_not_used_comes_back(void **state)
{
    uint32_t n;

    (void)state;
    tell((struct warm_up_news){.wants_some = true});
    n = answer.n_granted;
    assert_int_equal(n, 5);
    tell((struct warm_up_news){.n_unused = n});
    assert_int_equal(answer.n_used, 0);
    assert_int_equal(send_all(), 50);
}

static void days_end_at_midnight_of_the_zone(void **state)
{
    (void)state;
    utc_ms += 23 * HOUR_MS + 59 * 60000;
    assert_int_equal(send_all(), 50);
    assert_int_equal(answer.until_utc_ms, START_UTC_MS + DAY_MS);
    utc_ms = answer.until_utc_ms - 1;
    assert_int_equal(send_all(), 0);
    utc_ms++;
    assert_int_equal(send_all(), 50);
    utc_ms = START_UTC_MS + 33 * DAY_MS; /* 2026-10-25: 25 hours */
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.until_utc_ms, START_UTC_MS + 34 * DAY_MS + HOUR_MS);
}

static void a_clock_set_back_gives_no_second_day(void **state)
{
    (void)state;
    assert_int_equal(send_all(), 50);
    utc_ms -= 3 * DAY_MS;
    assert_int_equal(send_all(), 0);
}

static void a_clock_that_was_ahead_costs_one_day(void **state)
{
    (void)state;
    utc_ms += 300 * DAY_MS;
    tell((struct warm_up_news){.n_well = send_all()});
    utc_ms = START_UTC_MS;
    assert_int_equal(send_all(), 0);
    assert_int_equal(answer.until_utc_ms, START_UTC_MS + DAY_MS);
    assert_true(answer.since_utc_ms <= utc_ms);
    assert_int_equal(answer.move, WARM_UP_STAYS);
    restart();
    utc_ms += DAY_MS;
    assert_true(send_all() > 0);
}

static void an_address_that_rested_a_month_begins_anew(void **state)
{
    (void)state;
    for (int day = 0; day < 5; day++, utc_ms += DAY_MS)
        tell((struct warm_up_news){.n_well = send_all()});
    utc_ms += 29 * DAY_MS;
    tell((struct warm_up_news){.wants_some = true, .n_well = 200});
    assert_int_equal(answer.day, 6);
    utc_ms += 31 * DAY_MS;
    tell((struct warm_up_news){.wants_some = true});
    assert_int_equal(answer.day, 1);
    assert_int_equal(answer.move, WARM_UP_STEPS_BACK);
}

static void a_shorter_curve_makes_it_warm(void **state)
{
    (void)state;
    for (int day = 0; day < 5; day++, utc_ms += DAY_MS)
        tell((struct warm_up_news){.n_well = send_all()});
    assert_true(warm_up_curve_parse(SLICE_LITERAL("50 100"), &curve));
    tell((struct warm_up_news){.wants_some = true});
    assert_true(answer.is_warm);
    assert_int_equal(answer.n_granted, 0);
}

static void pairs_are_counted_apart(void **state)
{
    struct warm_up *other = warm_up_find(&book, ADDRESS, SLICE_LITERAL("yahoo"), utc_ms);
    struct warm_up *third = warm_up_find(&book, SLICE_LITERAL("192.0.2.2"), PROVIDER, utc_ms);

    (void)state;
    assert_int_equal(send_all(), 50);
    warm_up_ask(other, &curve, &(struct warm_up_news){.wants_some = true}, utc_ms, &answer);
    assert_int_equal(answer.n_used, 5);
    warm_up_ask(third, &curve, &(struct warm_up_news){.wants_some = true}, utc_ms, &answer);
    assert_int_equal(answer.n_used, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_is_rising_numbers),
        cmocka_unit_test_setup_teardown(an_accepted_address_follows_the_curve_and_is_warm, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(thirty_days_with_a_receiver_of_its_own_mind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_day_of_many_deferrals_steps_back_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_few_deferrals_make_it_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_day_that_sent_little_teaches_little, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_loses_room_and_never_makes_any, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_used_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_end_at_midnight_of_the_zone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_set_back_gives_no_second_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_costs_one_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_rested_a_month_begins_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_shorter_curve_makes_it_warm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pairs_are_counted_apart, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
