/* Addresses of ours, pools of them, providers over many sites, users by weight. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/schedule/provider.h"
#include "test/support/schedule_bench.h"

static unsigned n_ended;

static void end_idle(void *owner, struct lane *lane)
{
    (void)owner;
    n_ended++;
    lane_idle_ends(lane);
}

static struct provider *provider_of(struct bench *bench, uint32_t connections)
{
    struct site_limits limits = {.connections = connections};

    return schedule_make_provider(bench->schedule, SLICE_LITERAL("big"), &limits);
}

static void a_provider_s_connections_are_for_all_its_sites_together(void **state)
{
    struct bench *bench = *state;
    struct provider *provider = provider_of(bench, 2);
    struct site *third;

    one_for(bench, "a.example", provider);
    one_for(bench, "b.example", provider);
    third = one_for(bench, "c.example", provider);
    assert_true(next_pick(bench));
    assert_true(next_pick(bench));
    assert_false(next_pick(bench));
    assert_int_equal(schedule_why_site(bench->schedule, third, bench->now_ms).kind,
                     WHY_PROVIDER_CONNECTIONS);
    one_for(bench, "elsewhere.example", NULL);
    assert_true(next_pick(bench));
}

/* A connection that is kept, idle; then the other site wants one, and at_most says that there is
 * room for one only. */
static void makes_room(struct bench *bench, struct provider *provider,
                       const struct site_limits *at_most)
{
    struct lane *lane;

    bench->schedule->hooks.end_idle = end_idle;
    n_ended = 0;
    one_for(bench, "a.example", provider);
    assert_true(next_pick(bench));
    lane = bench->pick.lane;
    deliver(bench);
    if (at_most)
        bound_limit(lane_road(lane), BOUND_BY_RULE, at_most, "one at once", INT64_MAX,
                    bench->now_ms);
    one_for(bench, "b.example", provider);
    assert_false(next_pick(bench));
    assert_false(next_pick(bench));
    assert_int_equal(n_ended, 1); /* one is ending: no other one must */
    lane_closed(lane, true, bench->now_ms);
    assert_true(next_pick(bench));
    assert_ptr_not_equal(bench->pick.lane, lane);
}

static void an_idle_connection_of_another_site_makes_room(void **state)
{
    makes_room(*state, provider_of(*state, 1), NULL);
}

/* The provider itself has no limit: only a rule for one address does. */
static void an_idle_connection_of_another_site_on_a_full_road_makes_room(void **state)
{
    static const struct site_limits one = {.connections = 1};

    makes_room(*state, provider_of(*state, 0), &one);
}

/* What gives its pick back leaves no trace in the pace. */
static void a_turn_that_is_only_looked_at_is_nobody_s(void **state)
{
    struct bench *bench = *state;
    struct provider *provider = provider_of(bench, 0);
    struct site_limits limits = {.messages_per_minute = 1};
    struct lane *lane;
    int64_t next_ms;

    one_for(bench, "a.example", provider);
    assert_true(next_pick(bench));
    lane = bench->pick.lane;
    bound_limit(lane_road(lane), BOUND_BY_ORDER, &limits, "slowly", INT64_MAX, bench->now_ms);
    lane_use_turn(lane, CLASS_TRANSACTIONAL, bench->now_ms);
    next_ms = lane_turn_ms(lane, CLASS_TRANSACTIONAL, bench->now_ms);
    assert_in_range(next_ms, bench->now_ms + 60000, bench->now_ms + 65000);
    assert_int_equal(lane_turn_ms(lane, CLASS_TRANSACTIONAL, bench->now_ms), next_ms);
}

static void a_lane_is_suspended_with_anything_that_its_mail_passes(void **state)
{
    struct bench *bench = *state;
    struct bound *bounds[N_BOUND_KINDS];
    struct lane *lane = site_lane(one_for(bench, "a.example", provider_of(bench, 0)), 0);
    unsigned n = lane_bounds(lane, bounds);

    assert_int_equal(n, N_BOUND_KINDS);
    for (unsigned i = 0; i < n; i++) {
        assert_false(lane_is_suspended(lane, bench->now_ms));
        bound_suspend(bounds[i], BOUND_BY_ORDER, "stop", INT64_MAX, bench->now_ms);
        assert_true(lane_is_suspended(lane, bench->now_ms));
        bound_resume(bounds[i], BOUND_BY_ORDER, bench->now_ms);
    }
    /* What is under way has its room of the day. */
    bound_suspend(&lane->bound, BOUND_BY_WARM_UP, "used up", INT64_MAX, bench->now_ms);
    assert_false(lane_is_suspended(lane, bench->now_ms));
}

/* The site's row is free, the lane's is not: the connection comes when both are, and counts then.
 */
static void another_host_counts_when_it_is_tried(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = {.connections = 5, .connections_per_minute = 1};
    struct site *site = make_site(bench, "mx", limits);
    struct lane *lane;
    int64_t at_ms;

    bench->now_ms += 200000; /* a pace begins used up */
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    lane = bench->pick.lane;
    bound_set_limits(&site->bound, &limits);
    at_ms = lane_next_host(lane, CLASS_TRANSACTIONAL, bench->now_ms, INT64_MAX);
    assert_true(at_ms >= bench->now_ms + 60000);
    assert_true(paces_connection_ms(&site->bound.paces, &limits, CLASS_TRANSACTIONAL) >=
                at_ms + 60000);
}

/* A thousand sites wait for their provider: one wakes for all of them. */
static void what_waits_for_a_provider_is_looked_at_once(void **state)
{
    struct bench *bench = *state;
    struct provider *provider = provider_of(bench, 0);

    bound_suspend(&provider->bound, BOUND_BY_RULE, "later", bench->now_ms + 60000, bench->now_ms);
    for (int i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof(name), "d%d.example", i);
        one_for(bench, name, provider);
    }
    assert_false(next_pick(bench));
    assert_int_equal(bench->schedule->waking.n_nodes, 1);
    assert_int_equal(schedule_why_site(bench->schedule,
                                       schedule_site(bench->schedule, SLICE_LITERAL("d7.example")),
                                       bench->now_ms)
                         .kind,
                     WHY_PROVIDER_RESTS);
    bench->now_ms += 67000;        /* a tenth more at most */
    assert_true(next_pick(bench)); /* the probe */
    assert_false(next_pick(bench));
}

static void set_pools(struct bench *bench, uint16_t first, uint16_t second)
{
    struct egress_plan plan = {
        .pools = {first, second},
          .weights = {1,     3     }
    };

    schedule_set_egress(bench->schedule, &plan);
}

static void admit_to_pool(struct bench *bench, uint32_t user_id, uint32_t pool)
{
    struct new_entry entry = {.message = new_message(bench, user_id, CLASS_BULK),
                              .domain = slice_of("a.example"),
                              .n = 1,
                              .pool = pool};

    assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
}

static void mail_of_a_pool_leaves_from_its_addresses_only(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    set_pools(bench, 0, 1U << 1);
    admit_to_pool(bench, 1, 0);
    admit_to_pool(bench, 1, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.lane->egress, 1);
    assert_false(next_pick(bench)); /* the first pool has no address */
    deliver(bench);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_NO_ADDRESS);
    set_pools(bench, 1, 1U << 1);
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.lane->egress, 0);
}

static void addresses_of_a_pool_share_by_weight(void **state)
{
    struct bench *bench = *state;
    unsigned n[2] = {0};

    set_pools(bench, 3, 0);
    for (int i = 0; i < 400; i++)
        admit_to_pool(bench, 1, 0);
    route_all(bench, make_site(bench, "mx", plain_limits(1000)));
    bench->n_permits = 1000;
    for (int i = 0; i < 400 && next_pick(bench); i++)
        n[bench->pick.lane->egress]++;
    assert_int_equal(n[0], 100);
    assert_int_equal(n[1], 300);
}

static void an_address_that_rests_for_a_provider_leaves_it_to_the_others(void **state)
{
    struct bench *bench = *state;
    struct provider *provider = provider_of(bench, 0);
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct site *other = make_site(bench, "other", plain_limits(5));

    set_pools(bench, 3, 1);
    site_set_provider(site, provider);
    bound_suspend(lane_road(site_lane(site, 0)), BOUND_BY_RULE, "blocked", bench->now_ms + 60000,
                  bench->now_ms);
    admit_to_pool(bench, 1, 0);
    admit_to_pool(bench, 2, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.lane->egress, 1);
    deliver(bench);
    assert_false(next_pick(bench)); /* pool 1 has only the address that rests */
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind,
                     WHY_ADDRESS_RESTS);
    set_pools(bench, 1, 1);
    admit(bench, "b.example", 1, CLASS_BULK, 1);
    route_all(bench, other); /* no site of that provider */
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.lane->egress, 0);
}

static bool no_room(void *owner, struct lane *lane)
{
    struct bench *bench = owner;

    bound_suspend(lane_road(lane), BOUND_BY_WARM_UP, "50 of 50 today", bench->now_ms + 1000,
                  bench->now_ms);
    return false;
}

static void an_address_without_room_today_waits_for_tomorrow(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct why why;

    bench->schedule->hooks.may_use = no_room;
    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    assert_false(next_pick(bench));
    why = schedule_why_site(bench->schedule, site, bench->now_ms);
    assert_int_equal(why.kind, WHY_WARM_UP);
    assert_int_equal(why.until_ms, bench->now_ms + 1000);
    bench->schedule->hooks.may_use = NULL;
    bench->now_ms += 1000;
    assert_true(next_pick(bench));
}

static uint32_t weight_of(void *owner, uint32_t user_id)
{
    (void)owner;
    return user_id == 2 ? 3 : 1;
}

static void admit_of_two(struct bench *bench, enum message_class second)
{
    for (int i = 0; i < 400; i++) {
        admit(bench, "a.example", 1, CLASS_BULK, 1);
        admit(bench, "a.example", 2, second, 1);
    }
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
}

static void share_one_to_three(struct bench *bench)
{
    unsigned n[3] = {0};

    for (int i = 0; i < 400; i++) {
        assert_true(next_pick(bench));
        n[bench->pick.message->user_id]++;
        deliver(bench);
    }
    assert_int_equal(n[1], 100);
    assert_int_equal(n[2], 300);
}

static void users_share_by_weight(void **state)
{
    struct bench *bench = *state;

    bench->schedule->hooks.weight_of = weight_of;
    admit_of_two(bench, CLASS_BULK);
    share_one_to_three(bench);
}

/* A figure that comes while mail waits counts from then on. */
static void a_weight_that_changes_counts_at_once(void **state)
{
    struct bench *bench = *state;

    admit_of_two(bench, CLASS_BULK);
    bench->schedule->hooks.weight_of = weight_of;
    schedule_reweigh(bench->schedule);
    share_one_to_three(bench);
}

static void bulk_is_not_starved_by_what_is_urgent(void **state)
{
    struct bench *bench = *state;
    unsigned n_bulk = 0;

    admit_of_two(bench, CLASS_TRANSACTIONAL);
    for (int i = 0; i < 200; i++) {
        assert_true(next_pick(bench));
        n_bulk += bench->pick.message_class == CLASS_BULK;
        deliver(bench);
    }
    assert_int_equal(n_bulk, 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_provider_s_connections_are_for_all_its_sites_together),
        CASE(an_idle_connection_of_another_site_makes_room),
        CASE(an_idle_connection_of_another_site_on_a_full_road_makes_room),
        CASE(a_turn_that_is_only_looked_at_is_nobody_s),
        CASE(a_lane_is_suspended_with_anything_that_its_mail_passes),
        CASE(another_host_counts_when_it_is_tried),
        CASE(what_waits_for_a_provider_is_looked_at_once),
        CASE(mail_of_a_pool_leaves_from_its_addresses_only),
        CASE(addresses_of_a_pool_share_by_weight),
        CASE(an_address_that_rests_for_a_provider_leaves_it_to_the_others),
        CASE(an_address_without_room_today_waits_for_tomorrow),
        CASE(users_share_by_weight),
        CASE(a_weight_that_changes_counts_at_once),
        CASE(bulk_is_not_starved_by_what_is_urgent),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
