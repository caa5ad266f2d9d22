/* What is said about a bound, by whom, until when; and what follows from it. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/base/secret.h"
#include "test/support/schedule_bench.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

static const struct site_limits per_minute_60 = {.messages_per_minute = 60};
static const struct site_limits per_minute_10 = {.messages_per_minute = 10};
static const struct site_limits per_minute_5 = {.messages_per_minute = 5};
static const struct site_limits per_minute_99 = {.messages_per_minute = 99};

static void orders_win_over_rules_over_settings_and_each_ends_by_itself(void **state)
{
    struct bench *bench = *state;
    struct bound *bound = &make_site(bench, "mx", plain_limits(5))->bound;

    bound_set_limits(bound, &per_minute_60);
    bound_limit(bound, BOUND_BY_RULE, &per_minute_10, "busy", bench->now_ms + HOUR_MS,
                bench->now_ms);
    assert_int_equal(bound->limits.messages_per_minute, 10);
    bound_limit(bound, BOUND_BY_ORDER, &per_minute_99, "I know better", bench->now_ms + MINUTE_MS,
                bench->now_ms);
    assert_int_equal(bound->limits.messages_per_minute, 99);
    bound_settle(bound, bench->now_ms + MINUTE_MS);
    assert_int_equal(bound->limits.messages_per_minute, 10);
    bound_settle(bound, bench->now_ms + HOUR_MS);
    assert_int_equal(bound->limits.messages_per_minute, 60);
    assert_null(bound->words);
}

static void of_two_rules_the_stricter_limit_and_the_later_end_stand(void **state)
{
    struct bench *bench = *state;
    struct bound *bound = &make_site(bench, "mx", plain_limits(5))->bound;

    bound_limit(bound, BOUND_BY_RULE, &per_minute_5, "one", bench->now_ms + HOUR_MS, bench->now_ms);
    bound_limit(bound, BOUND_BY_RULE, &per_minute_10, "two", bench->now_ms + MINUTE_MS,
                bench->now_ms);
    assert_int_equal(bound->limits.messages_per_minute, 5);
    bound_settle(bound, bench->now_ms + MINUTE_MS);
    assert_int_equal(bound->limits.messages_per_minute, 5);
    bound_unlimit(bound, BOUND_BY_RULE, bench->now_ms);
    assert_int_equal(bound->limits.messages_per_minute, 0);
}

/* The order's limit is the site's; the lanes' own of the same kind is lifted meanwhile. */
static void an_order_for_a_site_holds_instead_of_its_lanes_limit(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", per_minute_5);
    struct lane *lane = site_lane(site, 0);

    assert_int_equal(lane->bound.limits.messages_per_minute, 5);
    bound_limit(&site->bound, BOUND_BY_ORDER, &per_minute_99, "faster", bench->now_ms + MINUTE_MS,
                bench->now_ms);
    assert_int_equal(lane->bound.limits.messages_per_minute, 0);
    assert_int_equal(site_lane(site, 1)->bound.limits.messages_per_minute, 0); /* a new one */
    bound_unlimit(&site->bound, BOUND_BY_ORDER, bench->now_ms);
    assert_int_equal(lane->bound.limits.messages_per_minute, 5);
}

static unsigned start_all(struct bench *bench, struct pick picks[8])
{
    unsigned n = 0;

    while (n < 8 && next_pick(bench))
        picks[n++] = bench->pick;
    return n;
}

static void deliver_all(struct bench *bench, const struct pick picks[8], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        bench->pick = picks[i];
        deliver(bench);
    }
}

static void a_rest_ends_with_one_probe_and_then_doubles(void **state)
{
    static struct pick picks[8];
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(100));

    for (int i = 0; i < 50; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    bound_suspend(&site->bound, BOUND_BY_RULE, "4.7.0 later", bench->now_ms + MINUTE_MS,
                  bench->now_ms);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_RESTS);
    assert_string_equal(schedule_why_site(bench->schedule, site, bench->now_ms).reason,
                        "4.7.0 later");
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).since_ms,
                     bench->now_ms);
    bench->now_ms = schedule_why_site(bench->schedule, site, bench->now_ms).until_ms - 1;
    assert_false(next_pick(bench));
    bench->now_ms++;
    for (unsigned n = 1; n <= 4; n *= 2) {
        assert_int_equal(start_all(bench, picks), n);
        assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind,
                         n == 1 ? WHY_PROBED : WHY_CONNECTIONS);
        deliver_all(bench, picks, n);
    }
}

static void rests_by_rules_end_apart_those_by_orders_when_they_say(void **state)
{
    struct bench *bench = *state;
    int64_t until_ms = bench->now_ms + HOUR_MS, first_ms = 0;
    bool differs = false;

    for (int i = 0; i < 20; i++) {
        char name[16];
        struct site *site;
        int64_t end_ms;

        snprintf(name, sizeof(name), "mx%d", i);
        site = make_site(bench, name, plain_limits(1));
        bound_suspend(&site->bound, BOUND_BY_RULE, NULL, until_ms, bench->now_ms);
        end_ms = schedule_why_site(bench->schedule, site, bench->now_ms).until_ms;
        assert_in_range(end_ms, until_ms, until_ms + HOUR_MS / 10);
        first_ms = first_ms ? first_ms : end_ms;
        differs |= end_ms != first_ms;
        bound_suspend(&site->bound, BOUND_BY_ORDER, NULL, until_ms, bench->now_ms);
        assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).until_ms,
                         until_ms);
    }
    assert_true(differs);
}

static void send(struct bench *bench, struct bound *bound, unsigned n, int64_t every_ms)
{
    for (unsigned i = 0; i < n; i++, bench->now_ms += every_ms) {
        bound_pick(bound, CLASS_BULK, false, bench->now_ms);
        bound_use_turn(bound, CLASS_BULK, bench->now_ms);
        bound->n_busy[CLASS_BULK]--;
    }
}

static void hear_slower(struct bench *bench, struct bound *bound)
{
    bound_slow_down(bound, "421 slower", bench->now_ms, bench->now_ms);
}

/* Twenty messages a second without any limit; a word halves that, what comes within a moment or
 * answers what was sent before is the same word, and successes lead back to no limit at all. */
static void a_reply_that_says_slower_halves_what_was_in_use(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct bound *bound = &site_lane(site, 0)->bound;
    int64_t begun_ms;

    send(bench, bound, 400, 50);
    begun_ms = bench->now_ms;
    hear_slower(bench, bound);
    bound_slow_down(bound, "421 slower", bench->now_ms + 10, bench->now_ms + 10);
    assert_in_range(bound->words->easing.rate, 9000, 10500); /* in 1,000 s */
    assert_int_equal(bound_decide(bound, CLASS_BULK, NEEDS_NONE, bench->now_ms).kind, WHY_SLOWED);
    bench->now_ms += 6000;
    bound_slow_down(bound, "421 slower", begun_ms - 1, bench->now_ms);
    assert_in_range(bound->words->easing.rate, 9000, 10500);
    hear_slower(bench, bound);
    assert_in_range(bound->words->easing.rate, 4500, 5250);
    for (int i = 0; i < 400 && bound->words && bound->words->easing.rate; i++)
        bound_went_well(bound, bench->now_ms += 500);
    bound_settle(bound, bench->now_ms);
    assert_null(bound->words);
    assert_int_equal(bound_decide(bound, CLASS_BULK, NEEDS_NONE, bench->now_ms).kind, WHY_NEXT);
}

/* After a lull nothing was measured: half of a message a second, then, not of nothing. */
static void a_word_after_a_lull_does_not_make_it_crawl(void **state)
{
    struct bench *bench = *state;
    struct bound *bound = &site_lane(make_site(bench, "mx", plain_limits(5)), 0)->bound;

    send(bench, bound, 1, 1);
    hear_slower(bench, bound);
    assert_int_equal(bound->words->easing.rate, 500);
}

/* However many words: a message in ten seconds; towards a route of the operator's one a second. */
static void words_lead_to_a_floor(void **state)
{
    struct bench *bench = *state;
    struct bound *bounds[2] = {
        &site_lane(make_site(bench, "mx", site_limits_default), 0)->bound,
        &site_lane(make_site(bench, "route", site_limits_route), 0)->bound,
    };

    for (int i = 0; i < 50; i++, bench->now_ms += 10000)
        for (int each = 0; each < 2; each++)
            hear_slower(bench, bounds[each]);
    assert_int_equal(bounds[0]->words->easing.rate, 100);
    assert_int_equal(bounds[1]->words->easing.rate, 1000);
}

static void what_is_not_used_for_a_while_is_at_its_full_pace_again(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct bound *bound = &site_lane(site, 0)->bound;

    hear_slower(bench, bound);
    assert_false(site_is_unused(site, bench->now_ms + 9 * MINUTE_MS));
    assert_true(site_is_unused(site, bench->now_ms + 10 * MINUTE_MS));
    bound_settle(bound, bench->now_ms + 9 * MINUTE_MS);
    assert_non_null(bound->words);
    bound_settle(bound, bench->now_ms + 10 * MINUTE_MS);
    assert_null(bound->words);
}

/* `queue retry` and `destination resume`: the site's lanes, too. */
static void an_operator_lifts_what_replies_brought(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct lane *lane = site_lane(site, 0);

    for (int i = 0; i < 2; i++, bench->now_ms += MINUTE_MS) {
        hear_slower(bench, &lane->bound);
        hear_slower(bench, &site->bound);
        site_was_reached(site);
        assert_true(lane->bound.words->easing.rate && site->bound.words->easing.rate);
        if (i == 0)
            site_resume(site, bench->now_ms);
        else
            site_try_now(site);
        assert_false(lane->bound.words->easing.rate || site->bound.words->easing.rate);
    }
    bound_suspend(&lane->bound, BOUND_BY_RULE, "later", bench->now_ms + HOUR_MS, bench->now_ms);
    site_try_now(site);
    assert_true(bound_is_suspended(&lane->bound, BOUND_BY_RULE, bench->now_ms));
    site_resume(site, bench->now_ms);
    assert_false(bound_is_suspended(&lane->bound, BOUND_BY_RULE, bench->now_ms));
}

/* What was sent before the start nobody knows: nothing is in hand, and the first one waits a step.
 */
static void after_a_start_every_pace_begins_used_up(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(5);
    struct site *site, *later;

    limits.messages_per_minute = 60;
    site = make_site(bench, "mx", limits);
    for (int i = 0; i < 10; i++)
        admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    assert_int_equal(bound_turn_ms(&site_lane(site, 0)->bound, CLASS_TRANSACTIONAL, bench->now_ms),
                     START_MS + 1024); /* a 64th and a 128th more than a second */
    bench->now_ms += HOUR_MS;
    later = make_site(bench, "later", limits);
    assert_int_equal(bound_turn_ms(&site_lane(later, 0)->bound, CLASS_TRANSACTIONAL, bench->now_ms),
                     bench->now_ms);
    schedule_forget_paces(bench->schedule, bench->now_ms);
    later = make_site(bench, "after a reload", limits);
    assert_int_equal(bound_turn_ms(&site_lane(later, 0)->bound, CLASS_TRANSACTIONAL, bench->now_ms),
                     bench->now_ms + 1024);
}

/* An order stands over a restart, and its pace does; one that is new begins at once. */
static void a_limit_said_before_the_start_begins_used_up(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(5);
    struct bound *bound = &make_site(bench, "mx", plain_limits(5))->bound, *later;

    bound_limit(bound, BOUND_BY_ORDER, &per_minute_60, "slowly", INT64_MAX, bench->now_ms);
    bound_limited_since(bound, START_MS - 1);
    assert_int_equal(bound_turn_ms(bound, CLASS_TRANSACTIONAL, bench->now_ms), START_MS + 1024);
    bench->now_ms += HOUR_MS / 2;
    later = &make_site(bench, "later", plain_limits(5))->bound;
    limits.messages_per_hour = 1;
    bound_limit(later, BOUND_BY_ORDER, &limits, "slowly", INT64_MAX, bench->now_ms);
    bound_limited_since(later, bench->now_ms);
    assert_true(bound_turn_ms(later, CLASS_TRANSACTIONAL, bench->now_ms) <= bench->now_ms);
    bound_limited_since(later, START_MS - 1);
    assert_true(bound_turn_ms(later, CLASS_TRANSACTIONAL, bench->now_ms) > START_MS + HOUR_MS);
}

static void a_site_is_remembered_while_its_pace_is_not_past(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(5);
    struct site *site;

    limits.messages_per_hour = 1;
    site = make_site(bench, "mx", limits);
    bench->now_ms += (int64_t)2 * HOUR_MS;
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    deliver(bench);
    lane_idle_ends(bench->pick.lane);
    lane_closed(bench->pick.lane, true, bench->now_ms);
    assert_false(site_is_unused(site, bench->now_ms + HOUR_MS / 2));
    assert_true(site_is_unused(site, bench->now_ms + (int64_t)2 * HOUR_MS));
}

/* Opened before its message's turn, so that connecting costs no pace; said in its turn. */
static void a_connection_is_opened_ahead_of_the_turn_and_the_turn_is_kept(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(5);
    struct site *site;
    int64_t first_ms;

    limits.messages_per_minute = 10;
    site = make_site(bench, "mx", limits);
    bench->now_ms += HOUR_MS;
    first_ms = bench->now_ms;
    for (int i = 0; i < 3; i++)
        admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    assert_int_equal(lane_take_turn(bench->pick.lane, CLASS_TRANSACTIONAL, bench->now_ms),
                     first_ms);
    assert_false(next_pick(bench));
    bench->now_ms = schedule_why_site(bench->schedule, site, bench->now_ms).until_ms;
    assert_in_range(bench->now_ms, first_ms + 4000, first_ms + 5000);
    assert_true(next_pick(bench));
    assert_int_equal(lane_take_turn(bench->pick.lane, CLASS_TRANSACTIONAL, bench->now_ms),
                     bench->now_ms + 1500);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(orders_win_over_rules_over_settings_and_each_ends_by_itself),
        CASE(of_two_rules_the_stricter_limit_and_the_later_end_stand),
        CASE(an_order_for_a_site_holds_instead_of_its_lanes_limit),
        CASE(a_rest_ends_with_one_probe_and_then_doubles),
        CASE(rests_by_rules_end_apart_those_by_orders_when_they_say),
        CASE(a_reply_that_says_slower_halves_what_was_in_use),
        CASE(a_word_after_a_lull_does_not_make_it_crawl),
        CASE(words_lead_to_a_floor),
        CASE(what_is_not_used_for_a_while_is_at_its_full_pace_again),
        CASE(an_operator_lifts_what_replies_brought),
        CASE(after_a_start_every_pace_begins_used_up),
        CASE(a_limit_said_before_the_start_begins_used_up),
        CASE(a_site_is_remembered_while_its_pace_is_not_past),
        CASE(a_connection_is_opened_ahead_of_the_turn_and_the_turn_is_kept),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
