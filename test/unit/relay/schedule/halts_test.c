/* What operators order of users and campaigns, and when the last of a queue will have left. */
#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "relay/schedule/halts.h"
#include "test/support/schedule_bench.h"

static struct site *ready_site(struct bench *bench)
{
    return make_site(bench, "mx", plain_limits(100));
}

static void halt(struct bench *bench, struct halt_order order)
{
    schedule_halt(bench->schedule, &order, bench->now_ms);
}

static struct why why_of(struct bench *bench, uint32_t number)
{
    struct entry *entry = pool_at(&bench->schedule->entries, number);

    return schedule_why_entry(bench->schedule, entry, bench->now_ms);
}

/* How many of this user (0: of all) leave until nothing may; each is delivered. */
static unsigned leave_of(struct bench *bench, uint32_t user_id)
{
    unsigned n = 0;

    while (next_pick(bench)) {
        uint32_t user = bench->pick.message->user_id;

        halts_use_turn(bench->schedule, user, 0, (enum message_class)bench->pick.message->class,
                       bench->now_ms);
        deliver(bench);
        n += user_id == 0 || user == user_id;
    }
    return n;
}

static unsigned leave(struct bench *bench)
{
    return leave_of(bench, 0);
}

static void a_user_stands_still_until_then_and_others_go_on(void **state)
{
    struct bench *bench = *state;
    struct site *site = ready_site(bench);

    halt(bench, (struct halt_order){.user_id = 1,
                                    .stop_reason = "they asked",
                                    .stop_until_ms = bench->now_ms + 60000});
    for (int i = 0; i < 5; i++) {
        admit(bench, "a.example", 1, CLASS_BULK, 1);
        admit(bench, "a.example", 2, CLASS_BULK, 1);
    }
    route_all(bench, site);
    assert_int_equal(leave(bench), 5);
    assert_int_equal(why_of(bench, 0).kind, WHY_USER_SUSPENDED);
    assert_string_equal(why_of(bench, 0).reason, "they asked");
    assert_int_equal(why_of(bench, 0).until_ms, bench->now_ms + 60000);
    assert_true(schedule_wake_ms(bench->schedule) <= bench->now_ms + 60000);
    bench->now_ms += 59000;
    assert_int_equal(leave(bench), 0);
    bench->now_ms += 1000;
    assert_int_equal(leave(bench), 5);
    assert_int_equal(bench->schedule->flows.n_items, 0);
}

static void an_order_taken_back_lets_all_go(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 5; i++)
        admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    halt(bench, (struct halt_order){.user_id = 1, .stop_reason = "x", .stop_until_ms = INT64_MAX});
    route_all(bench, ready_site(bench));
    assert_int_equal(leave(bench), 0);
    halt(bench, (struct halt_order){.user_id = 1});
    assert_int_equal(leave(bench), 5);
}

/* n + 1 messages never lie within one window, over all that the user sends. */
static void a_user_goes_no_faster_than_ordered(void **state)
{
    enum { LIMIT = 60, WINDOW_MS = 60000, ENOUGH = 200 };
    struct bench *bench = *state;
    int64_t left_ms[ENOUGH];
    unsigned n_left = 0;

    halt(bench, (struct halt_order){.user_id = 1,
                                    .slow_reason = "slowly",
                                    .slow_until_ms = INT64_MAX,
                                    .limits = {.messages_per_minute = LIMIT}});
    for (int i = 0; i < ENOUGH; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    admit(bench, "a.example", 2, CLASS_BULK, 1);
    route_all(bench, ready_site(bench));
    for (int step = 0; step < 10000 && n_left < ENOUGH; step++) {
        for (unsigned n = leave_of(bench, 1); n > 0; n--)
            left_ms[n_left++] = bench->now_ms;
        bench->now_ms += 100;
    }
    assert_int_equal(n_left, ENOUGH);
    for (unsigned i = LIMIT; i < ENOUGH; i++)
        assert_true(left_ms[i] - left_ms[i - LIMIT] >= WINDOW_MS);
    /* And not much slower: bulk may use 95 %. */
    assert_true(left_ms[ENOUGH - 1] - left_ms[0] < (int64_t)ENOUGH * WINDOW_MS / LIMIT * 115 / 100);
    assert_int_equal(why_of(bench, 0).kind, WHY_NOTHING);
}

/* What was picked before the order is asked for again before it is said. */
static void an_order_stops_what_was_picked_before(void **state)
{
    struct bench *bench = *state;

    assert_false(halts_stop(bench->schedule, 1, 0, bench->now_ms));
    halt(bench, (struct halt_order){
                    .user_id = 1, .stop_reason = "x", .stop_until_ms = bench->now_ms + 1000});
    assert_true(halts_stop(bench->schedule, 1, 7, bench->now_ms));
    assert_false(halts_stop(bench->schedule, 2, 7, bench->now_ms));
    assert_false(halts_stop(bench->schedule, 1, 7, bench->now_ms + 1000));
}

/* Whoever counts for several schedules: what there is, and what became of it. */
struct counter {
    struct halt_turns turns;
    uint32_t n_here, n_wanted, n_taken, n_put, n_used;
    int64_t opens_ms[N_CLASSES];
};

static struct counter *counter_of(const struct halt_turns *turns)
{
    return CONTAINER_OF(turns, struct counter, turns);
}

static int64_t counter_opens_ms(const struct halt_turns *turns, enum message_class message_class,
                                int64_t now_ms)
{
    return counter_of(turns)->n_here ? now_ms : counter_of(turns)->opens_ms[message_class];
}

static bool counter_want(struct halt_turns *turns, enum message_class message_class, uint32_t n)
{
    (void)message_class;
    counter_of(turns)->n_wanted = n;
    return counter_of(turns)->n_here > 0;
}

static void counter_take(struct halt_turns *turns, enum message_class message_class)
{
    (void)message_class;
    assert_true(counter_of(turns)->n_here > 0);
    counter_of(turns)->n_here--;
    counter_of(turns)->n_taken++;
}

static void counter_put(struct halt_turns *turns, enum message_class message_class)
{
    (void)message_class;
    counter_of(turns)->n_put++;
}

static void counter_use(struct halt_turns *turns, enum message_class message_class)
{
    (void)message_class;
    counter_of(turns)->n_used++;
}

static const struct halt_turns_owner counting = {counter_opens_ms, counter_want, counter_take,
                                                 counter_put, counter_use};

/* Each takes a turn when it is picked, uses it when it is said, and gives back what it was not. */
static void turns_that_others_count_are_taken_used_and_given_back(void **state)
{
    struct bench *bench = *state;
    struct counter counter = {.turns = {&counting}};

    halt(bench, (struct halt_order){.user_id = 1,
                                    .slow_reason = "slowly",
                                    .slow_until_ms = INT64_MAX,
                                    .turns = &counter.turns});
    for (int i = 0; i < 5; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    admit(bench, "a.example", 2, CLASS_BULK, 1);
    route_all(bench, ready_site(bench));
    assert_int_equal(leave_of(bench, 1), 0); /* the other user's goes */
    assert_int_equal(counter.n_wanted, 5);
    counter.opens_ms[CLASS_BULK] = bench->now_ms + 7000;
    assert_int_equal(why_of(bench, 0).until_ms, bench->now_ms + 7000);
    assert_true(schedule_wake_ms(bench->schedule) <= bench->now_ms + 7000);
    counter.n_here = 3;
    assert_int_equal(leave_of(bench, 1), 3);
    assert_int_equal(counter.n_taken, 3);
    assert_int_equal(counter.n_used, 3);
    counter.n_here = 1;
    assert_true(next_pick(bench));
    halts_drop_turn(bench->schedule, 1, 0, CLASS_BULK);
    assert_int_equal(counter.n_put, 1);
    /* One that was picked before the order has none, and there is none for it. */
    assert_int_equal(halts_turn_ms(bench->schedule, 1, 0, CLASS_BULK, bench->now_ms), INT64_MAX);
    counter.n_here = 1;
    assert_int_equal(halts_turn_ms(bench->schedule, 1, 0, CLASS_BULK, bench->now_ms),
                     bench->now_ms);
    halts_use_turn(bench->schedule, 1, 0, CLASS_BULK, bench->now_ms);
    assert_int_equal(counter.n_taken, 5);
    assert_int_equal(counter.n_used, 4);
    halt(bench, (struct halt_order){.user_id = 1});
}

/* Nobody is woken for turns of a class of which nothing waits, for nobody ever asks for them. */
static void what_waits_of_one_class_is_woken_when_that_may_go(void **state)
{
    struct bench *bench = *state;
    struct counter counter = {.turns = {&counting}};

    halt(bench, (struct halt_order){.user_id = 1,
                                    .slow_reason = "slowly",
                                    .slow_until_ms = INT64_MAX,
                                    .turns = &counter.turns});
    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, ready_site(bench));
    assert_int_equal(leave(bench), 0);
    counter.opens_ms[CLASS_BULK] = bench->now_ms + 700;
    counter.n_wanted = 0;
    assert_int_equal(halts_wake_ms(bench->schedule), bench->now_ms + 700);
    assert_true(schedule_wake_ms(bench->schedule) > bench->now_ms);
    assert_int_equal(leave(bench), 0);
    assert_int_equal(counter.n_wanted, 0); /* it was not taken back in vain */
    bench->now_ms += 700;
    counter.n_here = 1;
    assert_int_equal(leave(bench), 1);
    assert_int_equal(halts_wake_ms(bench->schedule), INT64_MAX);
    halt(bench, (struct halt_order){.user_id = 1});
}

static void the_last_leaves_as_the_limits_say(void **state)
{
    struct bench *bench = *state;
    struct site *site = ready_site(bench);
    struct why why = WHY_SIMPLY(WHY_NEXT), suspended = WHY_SIMPLY(WHY_SUSPENDED);
    struct site_limits limits = {.messages_per_minute = 60};

    for (int i = 0; i < 30; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    (void)schedule_advance(bench->schedule, bench->now_ms, 1000);
    assert_int_equal(schedule_last_ms(site, why, bench->now_ms), -1);
    bound_limit(&site->bound, BOUND_BY_ORDER, &limits, "slowly", INT64_MAX, bench->now_ms);
    assert_int_equal(schedule_last_ms(site, why, bench->now_ms), bench->now_ms + 30000);
    suspended.until_ms = bench->now_ms + 5000;
    assert_int_equal(schedule_last_ms(site, suspended, bench->now_ms), bench->now_ms + 35000);
    suspended.until_ms = -1;
    assert_int_equal(schedule_last_ms(site, suspended, bench->now_ms), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_stands_still_until_then_and_others_go_on),
        TEST(an_order_taken_back_lets_all_go),
        TEST(a_user_goes_no_faster_than_ordered),
        TEST(an_order_stops_what_was_picked_before),
        TEST(turns_that_others_count_are_taken_used_and_given_back),
        TEST(what_waits_of_one_class_is_woken_when_that_may_go),
        TEST(the_last_leaves_as_the_limits_say),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
