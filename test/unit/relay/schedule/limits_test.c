#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/schedule/limits.h"
#include "relay/schedule/retry.h"

/* Uses the pace as greedily and as unevenly as it allows; tells the densest window. */
static uint32_t densest(uint32_t n, uint32_t window_s, int64_t span_ms, unsigned seed,
                        uint32_t *n_used)
{
    struct pace pace = {0};
    int64_t *at_ms = malloc(sizeof(*at_ms) * 1000000);
    uint32_t n_at = 0, most = 0, first = 0;

    srand(seed);
    for (int64_t now_ms = 5000; now_ms < 5000 + span_ms; now_ms += 1 + rand() % 7) {
        while (pace_next_ms(&pace, n, window_s, 0) <= now_ms) {
            pace_use(&pace, n, window_s, now_ms);
            at_ms[n_at++] = now_ms;
        }
        if (seed && rand() % 100 == 0) /* a pause, to save up what must not be saved */
            now_ms += rand() % (int)(2000 * window_s);
    }
    for (uint32_t i = 0; i < n_at; i++) {
        while (at_ms[i] - at_ms[first] >= (int64_t)window_s * 1000)
            first++;
        if (i - first + 1 > most)
            most = i - first + 1;
    }
    free(at_ms);
    *n_used = n_at;
    return most;
}

static void no_window_wherever_it_begins_holds_more_than_the_limit(void **state)
{
    static const uint32_t limits[] = {1, 2, 3, 7, 20, 100, 333, 1000};
    uint32_t n_used;

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        for (unsigned seed = 0; seed < 4; seed++) {
            assert_in_range(densest(limits[i], 1, 60000, seed, &n_used), 1, limits[i]);
            assert_in_range(densest(limits[i], 60, 600000, seed, &n_used), 1, limits[i]);
        }
}

static void a_steady_user_gets_at_least_95_percent_of_the_pace(void **state)
{
    uint32_t n_used;

    (void)state;
    densest(100, 1, 100000, 0, &n_used);
    assert_in_range(n_used, 9500, 10000);
    densest(1000, 60, 600000, 0, &n_used);
    assert_in_range(n_used, 9500, 10100);
}

static void bulk_leaves_a_share_of_every_limit(void **state)
{
    (void)state;
    assert_int_equal(pace_bulk_share(0), 0);
    assert_int_equal(pace_bulk_share(1), 1); /* or it would never leave */
    assert_int_equal(pace_bulk_share(2), 1);
    assert_int_equal(pace_bulk_share(10), 9);
    assert_int_equal(pace_bulk_share(100), 95);
    assert_int_equal(pace_bulk_share(1000), 950);
}

static void urgent_mail_passes_where_bulk_has_used_its_share(void **state)
{
    struct site_limits limits = {.connections = 10, .messages_per_second = 20};
    struct site_paces paces = {0};
    static const uint32_t none[N_CLASSES];
    int64_t now_ms = 1000000;
    uint32_t n_bulk = 0;

    (void)state;
    for (int64_t at_ms = now_ms; at_ms < now_ms + 20000; at_ms++)
        if (paces_message_ms(&paces, &limits, CLASS_BULK, none) <= at_ms) {
            paces_use_message(&paces, &limits, CLASS_BULK, at_ms);
            n_bulk++;
        }
    assert_in_range(n_bulk, 20 * 18, 20 * 19 + 16);
    assert_true(paces_message_ms(&paces, &limits, CLASS_TRANSACTIONAL, none) <=
                now_ms + 20000 + 1000 / 20);
    assert_true(paces_message_ms(&paces, &limits, CLASS_BULK, none) >
                paces_message_ms(&paces, &limits, CLASS_TRANSACTIONAL, none));
}

/* 95 times it is more than 32 bits hold. */
static void the_highest_limit_of_a_second_holds_bulk_no_more_than_others(void **state)
{
    static const struct site_limits limits = {.messages_per_second = UINT32_MAX / 95 + 1};
    static const uint32_t none[N_CLASSES];
    struct site_paces paces = {0};

    (void)state;
    for (int64_t at_ms = 1000; at_ms < 1100; at_ms++) {
        assert_true(paces_message_ms(&paces, &limits, CLASS_BULK, none) <= at_ms);
        paces_use_message(&paces, &limits, CLASS_BULK, at_ms);
    }
}

static void waits_follow_the_steps_and_the_last_is_repeated(void **state)
{
    static const struct {
        uint32_t n_attempts;
        int64_t step_ms;
    } rows[] = {
        {1,  300000  },
        {2,  900000  },
        {3,  1800000 },
        {6,  14400000},
        {7,  14400000},
        {99, 14400000}
    };
    struct retry retry = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t step_ms = rows[i].step_ms;

        assert_int_equal(retry_wait_ms(&retry, rows[i].n_attempts, 0), step_ms - step_ms / 10);
        assert_in_range(retry_wait_ms(&retry, rows[i].n_attempts, UINT32_MAX),
                        step_ms + step_ms / 10 - 1, step_ms + step_ms / 10);
        assert_in_range(retry_wait_ms(&retry, rows[i].n_attempts, 1U << 31), step_ms - 1, step_ms);
    }
}

static void a_site_is_left_alone_longer_and_longer_within_bounds(void **state)
{
    struct retry retry = {0}, quick = {.steps_ms = {1000}, .n_steps = 1};
    int64_t before_ms = 0;

    (void)state;
    for (uint32_t n = 1; n <= 20; n++) {
        int64_t wait_ms = retry_site_wait_ms(&retry, n, 1U << 31);

        assert_true(wait_ms >= before_ms);
        assert_in_range(wait_ms, 19000, 15 * 60 * 1000);
        assert_in_range(retry_site_wait_ms(&quick, n, 1U << 31), 900, 1100);
        before_ms = wait_ms;
    }
    assert_in_range(before_ms, 14 * 60 * 1000, 15 * 60 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_wherever_it_begins_holds_more_than_the_limit),
        cmocka_unit_test(a_steady_user_gets_at_least_95_percent_of_the_pace),
        cmocka_unit_test(bulk_leaves_a_share_of_every_limit),
        cmocka_unit_test(urgent_mail_passes_where_bulk_has_used_its_share),
        cmocka_unit_test(the_highest_limit_of_a_second_holds_bulk_no_more_than_others),
        cmocka_unit_test(waits_follow_the_steps_and_the_last_is_repeated),
        cmocka_unit_test(a_site_is_left_alone_longer_and_longer_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
