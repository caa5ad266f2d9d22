/* Two purses as two loops would hold them; both come home to the test's mailbox. */
#include "test/unit/policy/policy_asking.h"

#include "policy/permits.h"
#include "policy/registry_orders.h"
#include "relay/base/clock.h"

enum { LIMIT = 3, RATE = 4, N_PURSES = 2 };

static struct purse {
    struct permit_purse purse; /* first */
    bool has_changed;
} purses[N_PURSES];

static void on_change(struct permit_purse *purse)
{
    ((struct purse *)(void *)purse)->has_changed = true;
}

static int set_up(void **state)
{
    struct policy_settings settings = policy_default_settings;

    (void)state;
    settings.outbound_connections = LIMIT;
    settings.connects_per_egress = RATE;
    start_policy(&settings);
    return 0;
}

static void start_purses(struct permit_key key)
{
    for (int i = 0; i < N_PURSES; i++) {
        purses[i].has_changed = false;
        permit_purse_init(&purses[i].purse, policy, home, key, on_change);
    }
}

static void settle(void)
{
    for (int i = 0; i < N_PURSES; i++)
        permit_purse_close(&purses[i].purse);
    while (!permit_purse_is_settled(&purses[0].purse) ||
           !permit_purse_is_settled(&purses[1].purse)) {
        assert_true(mailbox_wait(home, 10000));
        mailbox_run(home);
    }
}

static int tear_down(void **state)
{
    (void)state;
    stop_policy();
    return 0;
}

static int64_t now(void)
{
    return clock_monotonic_ms();
}

/* Takes a permit, waiting for it as often as needed up to `tries` changes; false: none came. */
static bool take_from(struct purse *purse, int tries)
{
    while (!permit_purse_take(&purse->purse, now())) {
        if (!tries--)
            return false;
        purse->has_changed = false;
        wait_until(&purse->has_changed);
    }
    return true;
}

/* Permits nobody uses go back within a lease. */
static void tick_for(int64_t span_ms)
{
    int64_t end_ms = now() + span_ms;

    while (now() < end_ms) {
        permit_purse_tick(&purses[0].purse, now());
        permit_purse_tick(&purses[1].purse, now());
        (void)mailbox_wait(home, 100);
        mailbox_run(home);
    }
}

static const struct permit_key outbound = {.scope = PERMIT_OUTBOUND};

static void never_more_are_out_than_the_limit(void **state)
{
    int n_taken = 0;

    (void)state;
    start_purses(outbound);
    while (n_taken < LIMIT && take_from(&purses[n_taken % N_PURSES], 3))
        n_taken++;
    assert_int_equal(n_taken, LIMIT);
    assert_false(take_from(&purses[0], 1)); /* a wait that ends with nothing */
    for (int i = 0; i < n_taken; i++)
        permit_purse_put(&purses[i % N_PURSES].purse);
    settle();
}

static void a_permit_put_back_reaches_who_waits(void **state)
{
    (void)state;
    start_purses(outbound);
    for (int i = 0; i < LIMIT; i++)
        assert_true(take_from(&purses[0], 3));
    assert_false(permit_purse_take(&purses[1].purse, now()));
    permit_purse_put(&purses[0].purse);
    tick_for(PERMIT_LEASE_MS + 300);
    assert_true(take_from(&purses[1], 3));
    permit_purse_put(&purses[1].purse);
    permit_purse_put(&purses[0].purse);
    permit_purse_put(&purses[0].purse);
    settle();
}

static void a_lease_that_nobody_uses_goes_back(void **state)
{
    (void)state;
    start_purses(outbound);
    permit_purse_want(&purses[0].purse, LIMIT);
    wait_until(&purses[0].has_changed);
    permit_purse_want(&purses[0].purse, LIMIT);
    purses[0].has_changed = false;
    wait_until(&purses[0].has_changed);
    tick_for(PERMIT_LEASE_MS + 300);
    assert_int_equal(purses[0].purse.n_idle, 0);
    for (int i = 0; i < LIMIT; i++)
        assert_true(take_from(&purses[1], 3));
    for (int i = 0; i < LIMIT; i++)
        permit_purse_put(&purses[1].purse);
    settle();
}

static void a_rate_holds_over_every_window(void **state)
{
    enum { N = RATE * 3 };
    int64_t starts_ms[N];
    int n = 0;

    (void)state;
    start_purses((struct permit_key){.scope = PERMIT_EGRESS_RATE,
                                     .id = permit_id_of(SLICE_LITERAL("192.0.2.1"))});
    while (n < N) {
        struct purse *purse = &purses[n % N_PURSES];

        if (permit_purse_take(&purse->purse, now()))
            starts_ms[n++] = now();
        else
            tick_for(20);
    }
    for (int i = RATE; i < N; i++)
        assert_true(starts_ms[i] - starts_ms[i - RATE] >= 999);
    settle();
}

static void budgets_do_not_share_permits(void **state)
{
    struct purse others[2];

    (void)state;
    start_purses(outbound);
    for (int i = 0; i < LIMIT; i++)
        assert_true(take_from(&purses[0], 3));
    for (uint64_t i = 0; i < 2; i++) {
        permit_purse_init(&others[i].purse, policy, home,
                          (struct permit_key){.scope = PERMIT_EGRESS, .id = i}, on_change);
        assert_true(take_from(&others[i], 1)); /* no limit is set for these */
        permit_purse_put(&others[i].purse);
        permit_purse_close(&others[i].purse);
        while (!permit_purse_is_settled(&others[i].purse)) {
            assert_true(mailbox_wait(home, 10000));
            mailbox_run(home);
        }
    }
    for (int i = 0; i < LIMIT; i++)
        permit_purse_put(&purses[0].purse);
    settle();
}

static void a_limit_can_be_set_for_one_budget(void **state)
{
    struct permit_key key = {.scope = PERMIT_EGRESS, .id = 9};

    (void)state;
    start_purses(key);
    assert_int_equal(permits_set_limit(policy, key, 1), 0);
    assert_true(take_from(&purses[0], 1));
    assert_false(take_from(&purses[1], 1));
    assert_int_equal(permits_set_limit(policy, key, 2), 0);
    assert_true(take_from(&purses[1], 2));
    permit_purse_put(&purses[0].purse);
    permit_purse_put(&purses[1].purse);
    settle();
}

static void throttle(uint32_t per_second)
{
    struct order_request request = {
        .order = {.scope = ORDER_OF_USER,
                  .action = ORDER_THROTTLE,
                  .name = SLICE_LITERAL("ann@example.org"),
                  .limits = {.messages_per_second = per_second},
                  .reason = SLICE_LITERAL("slowly")},
    };

    assert_int_equal(ASK(registry_order, &request), REGISTRY_OK);
}

static struct permit_key key_of_user(bool is_bulk)
{
    struct order order = {.scope = ORDER_OF_USER, .name = SLICE_LITERAL("ann@example.org")};

    return (struct permit_key){PERMIT_SENDER, permit_id_of_order(&order), is_bulk};
}

static bool say_one(struct purse *purse, int64_t at_ms)
{
    if (!permit_purse_take(&purse->purse, at_ms))
        return false;
    permit_purse_spend(&purse->purse, at_ms);
    return true;
}

/* An operator's throttle of a user holds over all loops together; one of a second lets one of two
 * loops go, not each. */
static void a_throttle_of_a_user_holds_over_all_loops(void **state)
{
    enum { N = 12, PER_SECOND = 4 };
    int64_t said_ms[N];
    int n = 0;

    (void)state;
    assert_int_equal(add_user("ann@example.org", NULL), REGISTRY_OK);
    throttle(PER_SECOND);
    start_purses(key_of_user(false));
    while (n < N)
        for (int i = 0; i < N_PURSES && n < N; i++) {
            int64_t at_ms = now();

            if (say_one(&purses[i], at_ms))
                said_ms[n++] = at_ms;
            tick_for(10);
        }
    for (int i = PER_SECOND; i < N; i++)
        assert_true(said_ms[i] - said_ms[i - PER_SECOND] >= 1000);
    settle();
}

/* Far off: it is told when to ask again, and nobody waits at the policy thread. */
static void what_is_far_off_is_told(void **state)
{
    struct order_request request = {
        .order = {.scope = ORDER_OF_CAMPAIGN,
                  .action = ORDER_THROTTLE,
                  .name = SLICE_LITERAL("*/spring"),
                  .limits = {.messages_per_hour = 1},
                  .reason = SLICE_LITERAL("slowly")},
    };

    (void)state;
    start_purses((struct permit_key){PERMIT_SENDER, permit_id_of_order(&request.order), true});
    permit_purse_want(&purses[0].purse, 1); /* the order is not known yet */
    wait_until(&purses[0].has_changed);
    assert_int_equal(purses[0].purse.n_idle, 0);
    assert_int_equal(ASK(registry_order, &request), REGISTRY_OK);
    for (int i = 0; i < N_PURSES; i++) {
        int64_t asked_ms = now();

        do {
            purses[i].has_changed = false;
            permit_purse_want(&purses[i].purse, 1);
            wait_until(&purses[i].has_changed);
        } while (purses[i].purse.again_ms < asked_ms + 60000);
        assert_int_equal(purses[i].purse.n_idle, 0);
        assert_in_range(purses[i].purse.again_ms - asked_ms, 3500000, 3700000);
    }
    settle();
}

static void stopping_ends_every_wait(void **state)
{
    (void)state;
    start_purses(outbound);
    for (int i = 0; i < LIMIT; i++)
        assert_true(take_from(&purses[0], 3));
    assert_false(permit_purse_take(&purses[1].purse, now()));
    policy = policy_stop(policy);
    wait_until(&purses[1].has_changed);
    assert_int_equal(purses[1].purse.n_idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(never_more_are_out_than_the_limit),
        TEST(a_permit_put_back_reaches_who_waits),
        TEST(a_lease_that_nobody_uses_goes_back),
        TEST(a_rate_holds_over_every_window),
        TEST(budgets_do_not_share_permits),
        TEST(a_limit_can_be_set_for_one_budget),
        TEST(stopping_ends_every_wait),
        TEST(a_throttle_of_a_user_holds_over_all_loops),
        TEST(what_is_far_off_is_told),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
