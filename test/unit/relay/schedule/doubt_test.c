/* Sites that bear a provider's name and do not let us in. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "relay/schedule/provider.h"
#include "test/support/schedule_bench.h"

enum { DEAD = 6 };

struct scene {
    struct provider *provider;
    struct site *dead[DEAD];
};

static void fail_pick(struct bench *bench)
{
    struct retry retry = {0};
    struct lane *lane = bench->pick.lane;

    lane_drop_turn(lane, CLASS_TRANSACTIONAL);
    schedule_return(bench->schedule, bench->pick.entries[0], bench->now_ms);
    lane_transaction_ended(lane, CLASS_TRANSACTIONAL, false);
    lane_unreachable(lane, "timed out", &retry, 1U << 31, bench->now_ms);
    lane_closed(lane, false, bench->now_ms);
}

/* Each of them was tried once, in vain, and its time to be tried again has come. */
static struct scene begin(struct bench *bench, uint32_t connections)
{
    struct site_limits limits = {.connections = connections};
    struct scene scene = {
        .provider = schedule_make_provider(bench->schedule, SLICE_LITERAL("big"), &limits)};

    for (int i = 0; i < DEAD; i++) {
        char name[32];

        snprintf(name, sizeof(name), "dead%d.example", i);
        scene.dead[i] = one_for(bench, name, scene.provider);
    }
    for (int i = 0; i < DEAD; i++) {
        assert_true(next_pick(bench)); /* nobody doubts it before */
        fail_pick(bench);
    }
    assert_false(next_pick(bench));
    bench->now_ms += 200000;
    return scene;
}

static unsigned count_picks(struct bench *bench)
{
    unsigned n = 0;

    while (next_pick(bench))
        n++;
    return n;
}

static void what_does_not_answer_has_a_quarter_of_its_providers_connections(void **state)
{
    static const struct {
        uint32_t limit, expected;
    } rows[] = {
        {4,  1   },
        {8,  2   },
        {12, 3   },
        {0,  DEAD},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench *bench;
        void *fresh = NULL;

        assert_int_equal(bench_set_up(&fresh), 0);
        bench = fresh;
        (void)begin(bench, rows[i].limit);
        assert_int_equal(count_picks(bench), rows[i].expected);
        bench_tear_down(&fresh);
    }
}

static void the_others_have_the_rest_at_once(void **state)
{
    struct bench *bench = *state;
    struct scene scene = begin(bench, 4);

    assert_int_equal(count_picks(bench), 1);
    for (int i = 0; i < 4; i++) {
        char name[32];

        snprintf(name, sizeof(name), "alive%d.example", i);
        one_for(bench, name, scene.provider);
    }
    assert_int_equal(count_picks(bench), 3);
}

static void who_waits_so_says_it_and_has_its_turn_when_another_gave_up(void **state)
{
    struct bench *bench = *state;
    struct scene scene = begin(bench, 4);
    struct site *tried, *other;
    struct why why;

    assert_true(next_pick(bench));
    tried = bench->pick.site;
    other = scene.dead[tried == scene.dead[0] ? 1 : 0];
    assert_false(next_pick(bench));
    why = schedule_why_site(bench->schedule, other, bench->now_ms);
    assert_int_equal(why.kind, WHY_UNREACHABLE);
    assert_string_equal(why.reason, "timed out");
    assert_in_range(why.until_ms, bench->now_ms + 1, bench->now_ms + 60000);
    fail_pick(bench);
    assert_int_equal(scene.provider->n_doubted, 0);
    bench->now_ms = why.until_ms;
    assert_true(next_pick(bench));
    assert_ptr_not_equal(bench->pick.site, tried);
}

static void who_lets_us_in_is_doubted_no_more(void **state)
{
    struct bench *bench = *state;
    struct scene scene = begin(bench, 4);
    struct site *site;

    assert_true(next_pick(bench));
    site = bench->pick.site;
    assert_int_equal(scene.provider->n_doubted, 1);
    deliver(bench); /* it was greeted */
    assert_int_equal(scene.provider->n_doubted, 0);
    assert_false(site_is_in_doubt(site));
    assert_true(next_pick(bench));
}

static void a_new_site_of_dead_hosts_is_doubted_from_the_beginning(void **state)
{
    struct bench *bench = *state;
    struct scene scene = begin(bench, 4);
    struct site *site;

    assert_int_equal(count_picks(bench), 1);
    site = one_for(bench, "again.example", scene.provider);
    site->is_doubted = true;
    assert_int_equal(count_picks(bench), 0);
    site_set_provider(site, NULL);
    assert_int_equal(count_picks(bench), 1); /* a site of its own waits for nobody */
    assert_int_equal(scene.provider->n_doubted, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_answer_has_a_quarter_of_its_providers_connections),
        CASE(the_others_have_the_rest_at_once),
        CASE(who_waits_so_says_it_and_has_its_turn_when_another_gave_up),
        CASE(who_lets_us_in_is_doubted_no_more),
        CASE(a_new_site_of_dead_hosts_is_doubted_from_the_beginning),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
