/* Addresses of ours by number: how they share, and numbers that mean others than before. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/schedule/places.h"
#include "relay/schedule/provider.h"
#include "test/support/schedule_bench.h"

enum { HOUR_MS = 3600000, A = 0, B = 1 };

static void set_weights(struct bench *bench, uint32_t of_a, uint32_t of_b)
{
    struct egress_plan plan = {
        .pools = {1U << A | 1U << B},
          .weights = { of_a,             of_b}
    };

    schedule_set_egress(bench->schedule, &plan);
}

/* Its connection stays for the next message. */
static uint32_t send_one(struct bench *bench)
{
    uint32_t egress;

    assert_true(next_pick(bench));
    egress = bench->pick.lane->egress;
    deliver(bench);
    bench->now_ms += 1000;
    return egress;
}

/* One at a time, so that there is always an idle connection. */
static void little_mail_is_shared_by_weight_too(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    int n_of_b = 0;

    set_weights(bench, 1, 3);
    for (int n = 1; n <= 400; n++) {
        admit(bench, "a.example", 1, CLASS_BULK, 1);
        route_all(bench, site);
        n_of_b += send_one(bench) == B;
        assert_in_range(n_of_b + LANE_MOST_AHEAD, n * 3 / 4, n * 3 / 4 + 2 * LANE_MOST_AHEAD + 1);
    }
}

/* Each of a provider's many sites has one message: what counts is the provider's sum. */
static void sites_of_a_provider_are_shared_together(void **state)
{
    struct bench *bench = *state;
    struct provider *provider =
        schedule_make_provider(bench->schedule, SLICE_LITERAL("big"), &(struct site_limits){0});
    int n_of_b = 0;

    set_weights(bench, 1, 3);
    for (int n = 1; n <= 100; n++) {
        char name[32];

        snprintf(name, sizeof(name), "s%d.example", n);
        one_for(bench, name, provider);
        n_of_b += send_one(bench) == B;
        assert_in_range(n_of_b + 1, n * 3 / 4, n * 3 / 4 + 2);
    }
}

/* And where nobody sums up, equal addresses are not used in the order of their numbers. */
static void equal_addresses_both_begin_at_sites(void **state)
{
    struct bench *bench = *state;
    int n_of_b = 0;

    set_weights(bench, 1, 1);
    for (int n = 0; n < 200; n++) {
        char name[32];

        snprintf(name, sizeof(name), "s%d.example", n);
        one_for(bench, name, NULL);
        n_of_b += send_one(bench) == B;
    }
    assert_in_range(n_of_b, 50, 150); /* one in 10^12 that chance says otherwise */
}

/* Who rested has saved up a few turns, not all that it missed. */
static void who_rested_does_not_catch_up(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    int n_of_a = 0;

    set_weights(bench, 1, 1);
    bound_suspend(&site_lane(site, A)->bound, BOUND_BY_ORDER, "listed", INT64_MAX, bench->now_ms);
    for (int n = 0; n < 240; n++) {
        if (n == 200)
            bound_resume(&site_lane(site, A)->bound, BOUND_BY_ORDER, bench->now_ms);
        admit(bench, "a.example", 1, CLASS_BULK, 1);
        route_all(bench, site);
        n_of_a += send_one(bench) == A;
    }
    assert_in_range(n_of_a, 40 / 2, 40 / 2 + LANE_MOST_BEHIND + LANE_MOST_AHEAD);
}

static void what_was_said_of_an_address_goes_with_it(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct provider *provider =
        schedule_make_provider(bench->schedule, SLICE_LITERAL("big"), &(struct site_limits){0});
    struct lane *gone, *stays;
    int64_t now_ms = bench->now_ms;

    site_set_provider(site, provider);
    gone = site_lane(site, 1);
    stays = site_lane(site, 2);
    bound_suspend(&gone->bound, BOUND_BY_RULE, "listed", now_ms + HOUR_MS, now_ms);
    bound_slow_down(&gone->road->bound, "slower", now_ms, now_ms);
    bound_suspend(&stays->bound, BOUND_BY_RULE, "listed", now_ms + HOUR_MS, now_ms);
    gone->bound.n_open = gone->road->bound.n_open = 3; /* still to be closed */
    schedule_forget_egress(bench->schedule, 1U << 1);
    assert_null(gone->bound.words);
    assert_null(gone->road->bound.words);
    assert_false(gone->bound.is_probed);
    assert_int_equal(gone->bound.n_open, 3);
    assert_int_equal(gone->road->bound.n_open, 3);
    assert_int_equal(gone->bound.limits.connections, 5);
    assert_true(bound_is_suspended(&stays->bound, BOUND_BY_RULE, now_ms));
    gone->bound.n_open = gone->road->bound.n_open = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(what_was_said_of_an_address_goes_with_it),
        TEST(little_mail_is_shared_by_weight_too),
        TEST(sites_of_a_provider_are_shared_together),
        TEST(equal_addresses_both_begin_at_sites),
        TEST(who_rested_does_not_catch_up),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
