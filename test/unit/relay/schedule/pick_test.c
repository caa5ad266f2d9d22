/* What leaves, in which order, and over how many connections. */
#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "test/support/schedule_bench.h"

static void an_entry_takes_at_most_48_bytes(void **state)
{
    (void)state;
    assert_true(sizeof(struct entry) <= 48);
}

static void mail_waits_for_its_route_and_then_goes_together(void **state)
{
    struct bench *bench = *state;
    struct stored *stored = admit(bench, "Example.NET", 1, CLASS_BULK, 3);

    assert_false(next_pick(bench));
    assert_int_equal(bench->n_wanted, 1);
    assert_string_equal(bench->wanted[0]->name, "example.net");
    route_all(bench, make_site(bench, "mx.example.net", plain_limits(5)));
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.message, stored);
    assert_int_equal(bench->pick.n_entries, 3);
    assert_true(bench->pick.needs_connection);
    assert_false(next_pick(bench));
    deliver(bench);
    assert_int_equal(bench->schedule->entries.n_items, 0);
    assert_int_equal(bench->schedule->flows.n_items, 0);
    assert_int_equal(bench->schedule->domains.n_items, 0);
}

static void connections_never_exceed_the_limit_and_idle_ones_are_used_again(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(3));
    struct pick picks[3];

    for (int i = 0; i < 10; i++)
        admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    for (int i = 0; i < 3; i++) {
        assert_true(next_pick(bench));
        picks[i] = bench->pick;
    }
    assert_false(next_pick(bench));
    assert_int_equal(site->bound.n_open, 3);
    bench->pick = picks[0];
    deliver(bench);
    assert_true(next_pick(bench));
    assert_false(bench->pick.needs_connection);
    assert_int_equal(site->bound.n_open, 3);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_CONNECTIONS);
}

static void bulk_leaves_one_connection_to_what_is_urgent(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(2));

    for (int i = 0; i < 5; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    assert_true(next_pick(bench));
    assert_false(next_pick(bench));
    admit(bench, "a.example", 2, CLASS_TRANSACTIONAL, 1);
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.message_class, CLASS_TRANSACTIONAL);
}

static void urgent_mail_goes_before_bulk_that_came_earlier(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 100; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    assert_true(next_pick(bench));
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    deliver(bench);
    assert_true(next_pick(bench));
    assert_int_equal(bench->pick.message_class, CLASS_TRANSACTIONAL);
}

/* One user sends 100 recipients a message, the other one: after a while they are even. */
static void users_share_a_site_by_recipients_not_by_messages(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(1);
    uint32_t sent[3] = {0};

    limits.recipients_per_transaction = 100;
    for (int i = 0; i < 50; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 100);
    for (int i = 0; i < 5000; i++)
        admit(bench, "a.example", 2, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", limits));
    while (sent[1] + sent[2] < 4000 && next_pick(bench)) {
        sent[bench->pick.message->user_id] += bench->pick.n_entries;
        deliver(bench);
    }
    assert_in_range(sent[1], 1800, 2200);
    assert_in_range(sent[2], 1800, 2200);
}

static void campaigns_of_a_user_take_turns(void **state)
{
    struct bench *bench = *state;
    uint32_t order[6], n = 0;

    for (uint32_t i = 0; i < 6; i++) {
        struct new_entry entry = {.message = new_message(bench, 1, CLASS_BULK),
                                  .domain = slice_of("a.example"),
                                  .n = 1,
                                  .campaign = i < 4 ? 7 : 8};

        assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
    }
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    while (next_pick(bench)) {
        order[n++] = entry_flow(bench->schedule, bench->pick.entries[0])->campaign;
        deliver(bench);
    }
    assert_int_equal(n, 6);
    assert_int_equal(order[0] + order[1], 15);
    assert_int_equal(order[2] + order[3], 15);
}

static void concurrency_grows_with_success_and_shrinks_when_told_slower(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(10);
    struct site *site;
    struct lane *lane;

    limits.start_connections = 2;
    site = make_site(bench, "mx", limits);
    lane = site_lane(site, 0);
    assert_int_equal(lane->bound.window, 2);
    for (int i = 0; i < 20; i++)
        lane_went_well(lane, bench->now_ms);
    assert_int_equal(lane->bound.window, 10);
    lane->bound.n_busy[CLASS_BULK] = 9;
    for (int i = 0; i < 3; i++) /* what comes together is one word */
        lane_slow_down(lane, "450 slower", bench->now_ms, bench->now_ms);
    assert_int_equal(lane->bound.window, 4);
    for (int i = 0; i < 5; i++) {
        bench->now_ms += 5000;
        lane_slow_down(lane, "450 slower", bench->now_ms, bench->now_ms);
    }
    assert_int_equal(lane->bound.window, 1);
    lane->bound.n_busy[CLASS_BULK] = 0;
}

static void without_a_permit_a_site_waits_and_says_so(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    bench->n_permits = 0;
    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    assert_false(next_pick(bench));
    assert_true(schedule_wants_permits(bench->schedule));
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_PERMITS);
    bench->n_permits = 1;
    schedule_permits_came(bench->schedule);
    assert_true(next_pick(bench));
}

static void admit_unsigned(struct bench *bench, const char *domain)
{
    struct new_entry entry = {
        .message = new_message(bench, 1, CLASS_BULK), .domain = slice_of(domain), .n = 1};

    entry.message->flags = MESSAGE_NOT_SIGNED;
    assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
}

/* Of one user and campaign, at one site: what came before the signer went and what came after. */
static void without_a_signer_only_unsigned_mail_goes(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct stored *early = admit(bench, "a.example", 1, CLASS_BULK, 1), *late;

    admit_unsigned(bench, "a.example");
    route_all(bench, site);
    schedule_signer(bench->schedule, false);
    late = admit(bench, "a.example", 1, CLASS_BULK, 2);
    admit_unsigned(bench, "a.example");
    for (int i = 0; i < 2; i++) {
        assert_true(next_pick(bench));
        assert_int_equal(bench->pick.message->flags, MESSAGE_NOT_SIGNED);
        deliver(bench);
    }
    assert_false(next_pick(bench));
    assert_int_equal(
        schedule_why_entry(bench->schedule, pool_at(&bench->schedule->entries, 0), bench->now_ms)
            .kind,
        WHY_SIGNER);
    schedule_signer(bench->schedule, true);
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.message, early);
    deliver(bench);
    assert_true(next_pick(bench));
    assert_ptr_equal(bench->pick.message, late);
    assert_int_equal(bench->pick.n_entries, 2);
    deliver(bench);
    assert_int_equal(bench->schedule->flows.n_items, 0);
}

/* Taken out one by one while nothing goes: no flow is left behind in the list of those that wait.
 */
static void waiting_for_a_signer_survives_operators(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    schedule_signer(bench->schedule, false);
    admit(bench, "a.example", 1, CLASS_BULK, 2);
    route_all(bench, site);
    for (uint32_t i = 0; i < 2; i++) {
        struct entry *entry = pool_at(&bench->schedule->entries, i);

        schedule_take(bench->schedule, entry);
        schedule_finish(bench->schedule, entry);
    }
    assert_int_equal(bench->schedule->flows.n_items, 0);
    assert_true(list_is_empty(&bench->schedule->unsigned_flows));
    schedule_signer(bench->schedule, true);
    assert_false(next_pick(bench));
}

/* One receiver that says nothing must not hold all of a site's mail: one more is dared, no second
 * one, and never above the limit. */
static void while_all_that_is_dared_hangs_one_more_may_go(void **state)
{
    static const struct {
        uint32_t connections, start, expected;
    } rows[] = {
        {5, 1, 1},
        {5, 2, 1},
        {1, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site_limits limits = {.connections = rows[i].connections,
                                     .start_connections = rows[i].start};
        struct bench *bench;
        struct lane *lane;
        void *fresh = NULL;
        uint32_t n = 0;

        assert_int_equal(bench_set_up(&fresh), 0);
        bench = fresh;
        for (int k = 0; k < 10; k++)
            admit(bench, "a.example", 1, CLASS_BULK, 1);
        route_all(bench, make_site(bench, "mx", limits));
        while (next_pick(bench))
            n++;
        lane = bench->pick.lane;
        for (uint32_t k = 0; k < n; k++) {
            assert_false(next_pick(bench)); /* one of them may answer soon */
            lane_falls_silent(lane);
        }
        for (n = 0; next_pick(bench); n++)
            lane_falls_silent(lane);
        assert_int_equal(n, rows[i].expected);
        bench_tear_down(&fresh);
    }
}

/* What is to show whether a suspension helped is one message, however long it takes. */
static void a_probe_that_hangs_stays_alone(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    for (int i = 0; i < 3; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    bound_suspend(&site->bound, BOUND_BY_ORDER, "stop", bench->now_ms + 1000, bench->now_ms);
    route_all(bench, site);
    bench->now_ms += 1000;
    assert_true(next_pick(bench));
    lane_falls_silent(bench->pick.lane);
    assert_false(next_pick(bench));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_entry_takes_at_most_48_bytes),
        CASE(mail_waits_for_its_route_and_then_goes_together),
        CASE(connections_never_exceed_the_limit_and_idle_ones_are_used_again),
        CASE(bulk_leaves_one_connection_to_what_is_urgent),
        CASE(urgent_mail_goes_before_bulk_that_came_earlier),
        CASE(users_share_a_site_by_recipients_not_by_messages),
        CASE(campaigns_of_a_user_take_turns),
        CASE(concurrency_grows_with_success_and_shrinks_when_told_slower),
        CASE(without_a_permit_a_site_waits_and_says_so),
        CASE(without_a_signer_only_unsigned_mail_goes),
        CASE(waiting_for_a_signer_survives_operators),
        cmocka_unit_test(while_all_that_is_dared_hangs_one_more_may_go),
        CASE(a_probe_that_hangs_stays_alone),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
