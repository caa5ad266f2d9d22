/* What time, a receiver's state and an operator do to what waits. */
#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "relay/schedule/select.h"
#include "test/support/schedule_bench.h"

static void a_deferred_recipient_comes_back_at_its_time_not_before(void **state)
{
    struct bench *bench = *state;
    struct entry *entry;

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    assert_true(next_pick(bench));
    entry = bench->pick.entries[0];
    schedule_note_attempt(bench->schedule, entry);
    schedule_defer(bench->schedule, entry, bench->now_ms + 300000, bench->now_ms);
    lane_greeted(bench->pick.lane, bench->now_ms);
    lane_drop_turn(bench->pick.lane, CLASS_BULK);
    lane_transaction_ended(bench->pick.lane, CLASS_BULK, true);
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).kind, WHY_RETRY);
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).until_ms,
                     bench->now_ms + 300000);
    bench->now_ms += 299999;
    assert_false(next_pick(bench));
    bench->now_ms += 1;
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.entries[0]->attempts, 1);
    deliver(bench);
}

static void a_dead_site_gets_one_probe_at_a_time_and_costs_others_nothing(void **state)
{
    struct bench *bench = *state;
    struct site *dead = make_site(bench, "dead", plain_limits(10));
    struct site *alive = make_site(bench, "alive", plain_limits(10));
    struct retry retry = {0};

    for (int i = 0; i < 100; i++)
        admit(bench, "dead.example", 1, CLASS_BULK, 1);
    route_all(bench, dead);
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.site, dead);
    schedule_defer(bench->schedule, bench->pick.entries[0], bench->now_ms + 300000, bench->now_ms);
    lane_drop_turn(bench->pick.lane, CLASS_BULK);
    lane_transaction_ended(bench->pick.lane, CLASS_BULK, false);
    lane_closed(bench->pick.lane, false, bench->now_ms);
    lane_unreachable(bench->pick.lane, "connection refused", &retry, 1U << 31, bench->now_ms);
    assert_false(next_pick(bench));
    assert_int_equal(schedule_why_site(bench->schedule, dead, bench->now_ms).kind, WHY_UNREACHABLE);
    assert_string_equal(schedule_why_site(bench->schedule, dead, bench->now_ms).reason,
                        "connection refused");
    admit(bench, "alive.example", 1, CLASS_BULK, 1);
    route_all(bench, alive);
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.site, alive);
    deliver(bench);
    bench->now_ms = schedule_why_site(bench->schedule, dead, bench->now_ms).until_ms;
    assert_true(next_pick(bench)); /* the probe */
    assert_ptr_equal(bench->pick.site, dead);
    assert_false(next_pick(bench));
    deliver(bench); /* it is back: everything goes on */
    assert_true(next_pick(bench));
    assert_true(next_pick(bench));
}

static void a_suspended_site_sends_nothing_until_it_is_resumed_or_its_time_is_over(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    bound_suspend(&site->bound, BOUND_BY_ORDER, "by hand", INT64_MAX, bench->now_ms);
    assert_false(next_pick(bench));
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_SUSPENDED);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).until_ms, -1);
    bound_suspend(&site->bound, BOUND_BY_ORDER, "for a minute", bench->now_ms + 60000,
                  bench->now_ms);
    assert_false(next_pick(bench));
    bench->now_ms += 60000;
    assert_true(next_pick(bench));
    assert_false(next_pick(bench)); /* the first one shows whether it helped */
    deliver(bench);
    assert_true(next_pick(bench));
}

static void the_end_of_its_time_is_a_recipient_s_last_attempt(void **state)
{
    struct bench *bench = *state;
    struct new_entry restarted = {.message = new_message(bench, 1, CLASS_BULK),
                                  .domain = slice_of("a.example"),
                                  .n = 1,
                                  .needs_attempt = true};
    struct site *site = make_site(bench, "mx", plain_limits(1));

    restarted.message->life_s = 1;
    bench->now_ms += 10000;
    assert_int_equal(schedule_admit(bench->schedule, &restarted, bench->now_ms), 0);
    route_all(bench, site);
    assert_true(next_pick(bench)); /* over its time, but not tried since the start */
    schedule_note_attempt(bench->schedule, bench->pick.entries[0]);
    assert_true(entry_is_expired(bench->schedule, bench->pick.entries[0], bench->now_ms));
    schedule_defer(bench->schedule, bench->pick.entries[0], bench->now_ms + 300000, bench->now_ms);
    lane_greeted(bench->pick.lane, bench->now_ms);
    lane_drop_turn(bench->pick.lane, CLASS_BULK);
    lane_transaction_ended(bench->pick.lane, CLASS_BULK, true);
    bench->now_ms += 2000;
    assert_true(next_pick(bench)); /* not in five minutes: now */
    assert_true(entry_is_expired(bench->schedule, bench->pick.entries[0], bench->now_ms));
    deliver(bench);
}

static void mail_for_a_blocked_site_expires_and_is_told_late_nevertheless(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(1));

    bench->schedule->delay_ms = 4 * 3600 * 1000;
    admit(bench, "a.example", 1, CLASS_BULK, 2);
    route_all(bench, site);
    bound_suspend(&site->bound, BOUND_BY_ORDER, "by hand", INT64_MAX, bench->now_ms);
    assert_false(next_pick(bench));
    bench->now_ms += (int64_t)5 * 3600 * 1000;
    assert_false(next_pick(bench));
    assert_int_equal(bench->n_delayed, 2);
    bench->now_ms += (int64_t)5 * 86400 * 1000;
    assert_false(next_pick(bench));
    assert_int_equal(bench->n_delayed, 2);
    assert_int_equal(bench->n_expired, 2);
}

static void a_clock_that_jumps_expires_nothing_before_another_attempt(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(1));

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    schedule_clock_jumped(bench->schedule, bench->now_ms,
                          utc_of(bench) + (int64_t)30 * 86400 * 1000);
    bench->now_ms += 2000;
    assert_true(next_pick(bench));
    assert_int_equal(bench->n_expired, 0);
    schedule_note_attempt(bench->schedule, bench->pick.entries[0]);
    assert_true(entry_is_expired(bench->schedule, bench->pick.entries[0], bench->now_ms));
}

static void a_domain_that_moves_takes_its_waiting_mail_along(void **state)
{
    struct bench *bench = *state;
    struct site *old = make_site(bench, "old", plain_limits(1));
    struct site *new = make_site(bench, "new", plain_limits(1));

    for (int i = 0; i < 3; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, old);
    assert_true(next_pick(bench));
    schedule_route(bench->schedule, schedule_domain(bench->schedule, slice_of("a.example")), new,
                   INT64_MAX);
    deliver(bench);
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.site, new);
    assert_int_equal(site_n_ready(old), 0);
    deliver(bench);
}

static void what_is_asked_of_a_selection_touches_just_that(void **state)
{
    struct bench *bench = *state;
    struct stored *mine = admit(bench, "a.example", 1, CLASS_BULK, 2);
    uint64_t id = mine->id;
    admit(bench, "b.example", 2, CLASS_BULK, 3);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    {
        static const struct {
            struct selection selection;
            unsigned n;
        } rows[] = {
            {{.is_all = true},                            5},
            {{.n_ids = 0},                                0}, /* no word at all selects nothing */
            {{.user_id = 2},                              3},
            {{.destination = {"B.example", 9}},           3},
            {{.destination = {"mx", 2}},                  5},
            {{.states = 1U << ENTRY_HELD},                0},
            {{.states = 1U << ENTRY_READY, .user_id = 1}, 2},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            unsigned n = 0;

            for (uint32_t at = 0; at < bench->schedule->entries.n_numbers; at++) {
                struct entry *entry = pool_at(&bench->schedule->entries, at);

                n += entry->state != ENTRY_FREE &&
                     selection_matches(bench->schedule, &rows[i].selection, entry);
            }
            assert_int_equal(n, rows[i].n);
        }
    }
    {
        struct selection by_id = {.ids = &id, .n_ids = 1};
        unsigned n = 0;

        for (uint32_t at = 0; at < bench->schedule->entries.n_numbers; at++)
            n += selection_matches(bench->schedule, &by_id, pool_at(&bench->schedule->entries, at));
        assert_int_equal(n, 2);
    }
}

static void held_mail_stays_until_it_is_returned(void **state)
{
    struct bench *bench = *state;
    struct entry *entry;

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    assert_true(next_pick(bench));
    entry = bench->pick.entries[0];
    schedule_hold(bench->schedule, entry);
    lane_drop_turn(bench->pick.lane, CLASS_BULK);
    lane_transaction_ended(bench->pick.lane, CLASS_BULK, false);
    lane_closed(bench->pick.lane, false, bench->now_ms);
    bench->now_ms += (int64_t)30 * 86400 * 1000;
    assert_false(next_pick(bench));
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).kind, WHY_HELD);
    schedule_take(bench->schedule, entry);
    schedule_return(bench->schedule, entry, bench->now_ms);
    bench->schedule->clock_epoch++; /* its time is long over; that is another test */
    assert_true(next_pick(bench));
}

/* By whom is told apart; when it is over is the holder's business, which is told only that it is.
 */
static void held_mail_has_a_time_of_a_quota_or_of_a_rule(void **state)
{
    static const enum why_kind kinds[] = {WHY_QUOTA, WHY_HELD};
    struct bench *bench = *state;
    int64_t due_ms = bench->now_ms + 3600000;

    for (unsigned is_by_rule = 0; is_by_rule < 2; is_by_rule++) {
        struct new_entry new_entry = {.message = new_message(bench, 1, CLASS_BULK),
                                      .domain = SLICE_LITERAL("a.example"),
                                      .n = 1,
                                      .is_held = true,
                                      .is_by_rule = is_by_rule,
                                      .due_ms = due_ms};
        struct entry *entry;
        struct why why;

        assert_int_equal(schedule_admit(bench->schedule, &new_entry, bench->now_ms), 0);
        entry = pool_at(&bench->schedule->entries, is_by_rule);
        schedule_take(bench->schedule, entry);
        schedule_hold_until(bench->schedule, entry, due_ms);
        why = schedule_why_entry(bench->schedule, entry, bench->now_ms);
        assert_int_equal(why.kind, kinds[is_by_rule]);
        assert_in_range(why.until_ms, due_ms, due_ms + 999);
        assert_false(entry_is_held_no_more(bench->schedule, entry, due_ms - 1));
        assert_true(entry_is_held_no_more(bench->schedule, entry, due_ms + 999));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_deferred_recipient_comes_back_at_its_time_not_before),
        CASE(a_dead_site_gets_one_probe_at_a_time_and_costs_others_nothing),
        CASE(a_suspended_site_sends_nothing_until_it_is_resumed_or_its_time_is_over),
        CASE(the_end_of_its_time_is_a_recipient_s_last_attempt),
        CASE(mail_for_a_blocked_site_expires_and_is_told_late_nevertheless),
        CASE(a_clock_that_jumps_expires_nothing_before_another_attempt),
        CASE(a_domain_that_moves_takes_its_waiting_mail_along),
        CASE(what_is_asked_of_a_selection_touches_just_that),
        CASE(held_mail_stays_until_it_is_returned),
        CASE(held_mail_has_a_time_of_a_quota_or_of_a_rule),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
