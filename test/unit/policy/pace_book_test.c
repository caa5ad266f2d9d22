#include "test/support/test_support.h"

#include "policy/pace_book.h"

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

enum {
    N_LOOPS = 4,
    LIMIT = 20,
    WINDOW_MS = 60000,
    SPAN_MS = 1200000,
    RESTART_MS = SPAN_MS / 2,
    MOST_HELD = 32,
    MOST_DELAY_MS = 6000,
    MOST_SAID = 1000
};

/* What a loop has of each class: idle, or picked and said a while later. */
struct loop {
    uint32_t n_idle, n_spent, n_held;
    int64_t last_ms, say_ms[MOST_HELD];
};

struct run {
    struct pace_book book;
    struct loop loops[N_LOOPS][2];
    int64_t said_ms[MOST_SAID];
    uint32_t n_said, n_bulk, seed;
};

static const struct pace_limits limits = {
    {0, LIMIT, 0, 0}
};

static void start(struct run *run, int64_t now_ms)
{
    pace_book_init(&run->book);
    memset(run->loops, 0, sizeof(run->loops));
    assert_int_equal(pace_book_lease(&run->book, false, 1, now_ms), 0); /* no limits are known */
    pace_book_set_limits(&run->book, &limits, now_ms);
}

static void say_due(struct run *run, struct loop *loop, bool is_bulk, int64_t now_ms)
{
    uint32_t n_left = 0;

    for (uint32_t i = 0; i < loop->n_held; i++) {
        if (loop->say_ms[i] > now_ms) {
            loop->say_ms[n_left++] = loop->say_ms[i];
            continue;
        }
        loop->n_spent++;
        loop->last_ms = now_ms;
        assert_true(run->n_said < MOST_SAID);
        run->said_ms[run->n_said++] = now_ms;
        run->n_bulk += is_bulk;
    }
    loop->n_held = n_left;
}

static void turn(struct run *run, struct loop *loop, bool is_bulk, int64_t now_ms)
{
    say_due(run, loop, is_bulk, now_ms);
    switch (next_random(&run->seed) % 3) {
    case 0:
        loop->n_idle +=
            pace_book_lease(&run->book, is_bulk, 1 + next_random(&run->seed) % 4, now_ms);
        break;
    case 1:
        for (; loop->n_idle && loop->n_held < MOST_HELD; loop->n_idle--)
            loop->say_ms[loop->n_held++] = now_ms + next_random(&run->seed) % MOST_DELAY_MS;
        break;
    default:
        pace_book_return(&run->book, is_bulk, loop->n_idle, loop->n_spent, loop->last_ms, now_ms);
        loop->n_idle = loop->n_spent = 0;
    }
}

static void check_windows(const struct run *run)
{
    for (uint32_t i = LIMIT; i < run->n_said; i++)
        assert_true(run->said_ms[i] - run->said_ms[i - LIMIT] >= WINDOW_MS);
}

/* Whatever is said late, whichever loop says it, and over a restart that forgets all. */
static void no_window_sees_more_than_the_limit(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        static struct run run;

        run = (struct run){.seed = seed};
        start(&run, 0);
        for (int64_t now_ms = 0, begun = 0; now_ms < SPAN_MS; now_ms += 5) {
            uint32_t dice = next_random(&run.seed) % 8;

            if (now_ms >= RESTART_MS && !begun++) {
                now_ms += 1000; /* what was picked is not said, and a start takes a while */
                start(&run, now_ms);
            }
            turn(&run, &run.loops[dice / 2][dice % 2], dice % 2, now_ms);
        }
        check_windows(&run);
        /* And not much slower. */
        assert_true(run.n_said >= LIMIT * (SPAN_MS / WINDOW_MS) * 85 / 100);
        assert_true(run.n_bulk > run.n_said / 4 && run.n_bulk < run.n_said * 96 / 100);
    }
}

static void one_an_hour_is_one_whoever_asks(void **state)
{
    static const struct pace_limits one = {
        {0, 0, 1, 0}
    };
    struct pace_book book;
    uint32_t n = 0;

    (void)state;
    pace_book_init(&book);
    pace_book_set_limits(&book, &one, 0);
    for (int64_t now_ms = 0; now_ms < 3 * 3600000; now_ms += 60000)
        for (int loop = 0; loop < N_LOOPS; loop++) {
            uint32_t n_granted = pace_book_lease(&book, true, 1, now_ms);

            pace_book_return(&book, true, 0, n_granted, now_ms, now_ms);
            n += n_granted;
        }
    assert_int_equal(n, 2); /* the first one after an hour, for nobody knows what went before */
}

static void what_is_asked_for_at_the_time_said_is_there(void **state)
{
    static const struct pace_limits few = {
        {2, 30, 0, 0}
    };
    struct pace_book book;
    int64_t now_ms = 1000;

    (void)state;
    pace_book_init(&book);
    assert_int_equal(pace_book_next_ms(&book, true, now_ms), now_ms + PACE_NOT_SOON_MS);
    pace_book_set_limits(&book, &few, now_ms);
    for (int i = 0; i < 100; i++) {
        int64_t at_ms = pace_book_next_ms(&book, i % 2, now_ms);

        if (at_ms > now_ms)
            assert_int_equal(pace_book_lease(&book, i % 2, 1, at_ms - 1), 0);
        now_ms = at_ms;
        assert_int_equal(pace_book_lease(&book, i % 2, 1, now_ms), 1);
        if (i % 7 == 0)
            pace_book_return(&book, i % 2, 1, 0, 0, now_ms); /* nobody used it */
        else
            pace_book_return(&book, i % 2, 0, 1, now_ms, now_ms);
    }
    assert_false(pace_book_is_past(&book, now_ms));
    assert_true(pace_book_is_past(&book, now_ms + 2 * WINDOW_MS));
}

static void the_same_limits_again_change_nothing(void **state)
{
    struct pace_book book;
    int64_t next_ms;

    (void)state;
    pace_book_init(&book);
    pace_book_set_limits(&book, &limits, 0);
    next_ms = pace_book_next_ms(&book, false, 0);
    pace_book_set_limits(&book, &limits, 2000);
    assert_int_equal(pace_book_next_ms(&book, false, 2000), next_ms);
    pace_book_set_limits(&book,
                         &(struct pace_limits){
                             {0, 2 * LIMIT, 0, 0}
    },
                         2000);
    assert_int_not_equal(pace_book_next_ms(&book, false, 2000), next_ms);
}

/* Each is worth as much as it was granted for, not an hour of the new limit. */
static void what_comes_back_after_a_change_takes_no_new_limit_back(void **state)
{
    static const struct pace_limits before = {
        {0, 0, 36000, 0}
    };
    static const struct pace_limits after = {
        {0, 0, 1, 0}
    };
    static const int64_t now_ms = 3600000;

    (void)state;
    for (int is_bulk = 0; is_bulk < 2; is_bulk++) {
        struct pace_book book;
        uint32_t n_out;
        int64_t next_ms;

        pace_book_init(&book);
        pace_book_set_limits(&book, &before, 0);
        n_out = pace_book_lease(&book, is_bulk, 100, now_ms);
        assert_true(n_out > 50);
        pace_book_set_limits(&book, &after, now_ms);
        next_ms = book.all[2].turn_us / 1000 - 60000;
        assert_true(next_ms > now_ms + 3000000);
        pace_book_return(&book, is_bulk, n_out / 2, 0, 0, now_ms);
        assert_true(pace_book_next_ms(&book, is_bulk, now_ms) > next_ms);
        assert_int_equal(pace_book_lease(&book, is_bulk, 1, next_ms), 0);
        pace_book_return(&book, is_bulk, n_out - n_out / 2 - 1, 0, 0, now_ms + 3600000);
        assert_int_equal(pace_book_lease(&book, is_bulk, 1, now_ms + 2 * 3600000), 0); /* one out */
        pace_book_return(&book, is_bulk, 1, 0, 0, now_ms + 2 * 3600000);
        assert_int_equal(pace_book_lease(&book, is_bulk, 1, now_ms + 2 * 3600000), 1);
        pace_book_return(&book, is_bulk, 1, 0, 0, now_ms + 2 * 3600000);
        assert_true(book.all[2].turn_us >= book.started_us[2]);
    }
}

/* What one a day made bulk wait for is not waited for when there may be more. */
static void a_raised_limit_holds_bulk_as_all(void **state)
{
    static const struct pace_limits before = {
        {0, 0, 0, 1}
    };
    static const struct pace_limits after = {
        {0, 0, 0, 86400}
    };
    static const int64_t day_ms = 86400000;
    struct pace_book book;

    (void)state;
    pace_book_init(&book);
    pace_book_set_limits(&book, &before, 0);
    assert_int_equal(pace_book_lease(&book, true, 1, 2 * day_ms), 1);
    pace_book_set_limits(&book, &after, 2 * day_ms);
    assert_int_equal(pace_book_lease(&book, true, 1, 2 * day_ms + day_ms / 24), 1);
}

/* 95 times it is more than 32 bits hold. */
static void the_highest_limits_hold_nobody_up(void **state)
{
    static const struct pace_limits many = {
        {UINT32_MAX / 95 + 1, 0, 0, 0}
    };
    struct pace_book book;

    (void)state;
    pace_book_init(&book);
    pace_book_set_limits(&book, &many, 0);
    for (int64_t now_ms = 1000; now_ms < 1100; now_ms++)
        assert_int_equal(pace_book_lease(&book, true, 10, now_ms), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_sees_more_than_the_limit),
        cmocka_unit_test(one_an_hour_is_one_whoever_asks),
        cmocka_unit_test(what_is_asked_for_at_the_time_said_is_there),
        cmocka_unit_test(the_same_limits_again_change_nothing),
        cmocka_unit_test(what_comes_back_after_a_change_takes_no_new_limit_back),
        cmocka_unit_test(a_raised_limit_holds_bulk_as_all),
        cmocka_unit_test(the_highest_limits_hold_nobody_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
