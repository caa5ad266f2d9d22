/* The schedule against a clock of its own: what leaves, in which order, and what holds it back. */
#include "test/support/test_support.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/secret.h"
#include "relay/schedule/select.h"

enum { START_MS = 1000000 };
static const int64_t START_UTC_MS = 1700000000000;

struct bench {
    struct schedule *schedule;
    int64_t now_ms;
    bool routes; /* domains lead to the site of their name at once */
    struct domain *wanted[64];
    unsigned n_wanted, n_expired, n_delayed, n_permits;
    struct entry *expired[64];
    struct pick pick;
    uint64_t next_id;
};

static void on_wanted(void *owner, struct domain *domain)
{
    struct bench *bench = owner;

    assert_true(bench->n_wanted < 64);
    bench->wanted[bench->n_wanted++] = domain;
}

static void on_expired(void *owner, struct entry *entry)
{
    struct bench *bench = owner;

    bench->expired[bench->n_expired++] = entry;
}

static void on_delayed(void *owner, struct entry *entry)
{
    (void)entry;
    ((struct bench *)owner)->n_delayed++;
}

static bool take_permit(void *owner)
{
    struct bench *bench = owner;

    if (bench->n_permits == 0)
        return false;
    bench->n_permits--;
    return true;
}

static void put_permit(void *owner)
{
    ((struct bench *)owner)->n_permits++;
}

static struct site_limits plain_limits(uint32_t connections)
{
    return (struct site_limits){.connections = connections, .start_connections = connections};
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct schedule_hooks hooks = {
        .owner = bench,
        .on_domain_wanted = on_wanted,
        .on_expired = on_expired,
        .on_delayed = on_delayed,
        .take_permit = take_permit,
        .put_permit = put_permit,
    };

    bench->now_ms = START_MS;
    bench->n_permits = 1000;
    *state = bench;
    return schedule_new(&bench->schedule, &hooks, START_MS, START_UTC_MS);
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    schedule_free(bench->schedule);
    free(bench);
    return 0;
}

static int64_t utc_of(const struct bench *bench)
{
    return START_UTC_MS + bench->now_ms - START_MS;
}

static struct stored *message(struct bench *bench, uint32_t user_id, enum message_class class)
{
    struct stored *stored = calloc(1, sizeof(*stored));

    atomic_store(&stored->n_references, 1);
    stored->id = ++bench->next_id;
    stored->arrived_utc_ms = utc_of(bench);
    stored->life_s = 5 * 86400;
    stored->user_id = user_id;
    stored->class = (uint8_t) class;
    return stored;
}

/* One message with n recipients in domain; the test keeps no reference. */
static struct stored *admit(struct bench *bench, const char *domain, uint32_t user_id,
                            enum message_class class, uint32_t n)
{
    struct stored *stored = message(bench, user_id, class);

    for (uint32_t i = 1; i <= n; i++) {
        struct new_entry entry = {
            .message = i > 1 ? stored_ref(stored) : stored, .domain = slice_of(domain), .n = i};

        assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
    }
    return stored;
}

static struct site *make_site(struct bench *bench, const char *name, struct site_limits limits)
{
    return schedule_make_site(bench->schedule, slice_of(name), &limits, bench->now_ms);
}

/* All wanted domains lead to this site from now on. */
static void route_all(struct bench *bench, struct site *site)
{
    while (bench->n_wanted > 0)
        schedule_route(bench->schedule, bench->wanted[--bench->n_wanted], site, INT64_MAX);
    schedule_advance(bench->schedule, bench->now_ms, 1000);
}

static bool next(struct bench *bench)
{
    schedule_advance(bench->schedule, bench->now_ms, 1000000);
    return schedule_next(bench->schedule, bench->now_ms, &bench->pick);
}

/* The picked transaction went well; its connection is kept. */
static void deliver(struct bench *bench)
{
    struct pick *pick = &bench->pick;

    for (uint32_t i = 0; i < pick->n_entries; i++)
        schedule_finish(bench->schedule, pick->entries[i]);
    if (pick->needs_connection)
        site_greeted(pick->site);
    site_went_well(pick->site);
    site_transaction_ended(pick->site, pick->message_class, true);
}

static void an_entry_takes_at_most_48_bytes(void **state)
{
    (void)state;
    assert_true(sizeof(struct entry) <= 48);
}

static void mail_waits_for_its_route_and_then_goes_together(void **state)
{
    struct bench *bench = *state;
    struct stored *stored = admit(bench, "Example.NET", 1, CLASS_BULK, 3);

    assert_false(next(bench));
    assert_int_equal(bench->n_wanted, 1);
    assert_string_equal(bench->wanted[0]->name, "example.net");
    route_all(bench, make_site(bench, "mx.example.net", plain_limits(5)));
    assert_true(next(bench));
    assert_ptr_equal(bench->pick.message, stored);
    assert_int_equal(bench->pick.n_entries, 3);
    assert_true(bench->pick.needs_connection);
    assert_false(next(bench));
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
        assert_true(next(bench));
        picks[i] = bench->pick;
    }
    assert_false(next(bench));
    assert_int_equal(site->n_open, 3);
    bench->pick = picks[0];
    deliver(bench);
    assert_true(next(bench));
    assert_false(bench->pick.needs_connection);
    assert_int_equal(site->n_open, 3);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_CONNECTIONS);
}

static void bulk_leaves_one_connection_to_what_is_urgent(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(2));

    for (int i = 0; i < 5; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    assert_true(next(bench));
    assert_false(next(bench));
    admit(bench, "a.example", 2, CLASS_TRANSACTIONAL, 1);
    assert_true(next(bench));
    assert_int_equal(bench->pick.message_class, CLASS_TRANSACTIONAL);
}

static void urgent_mail_goes_before_bulk_that_came_earlier(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 100; i++)
        admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    assert_true(next(bench));
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    deliver(bench);
    assert_true(next(bench));
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
    while (sent[1] + sent[2] < 4000 && next(bench)) {
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
        struct new_entry entry = {.message = message(bench, 1, CLASS_BULK),
                                  .domain = slice_of("a.example"),
                                  .n = 1,
                                  .campaign = i < 4 ? 7 : 8};

        assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
    }
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    while (next(bench)) {
        order[n++] = entry_flow(bench->schedule, bench->pick.entries[0])->campaign;
        deliver(bench);
    }
    assert_int_equal(n, 6);
    assert_int_equal(order[0] + order[1], 15);
    assert_int_equal(order[2] + order[3], 15);
}

static void a_deferred_recipient_comes_back_at_its_time_not_before(void **state)
{
    struct bench *bench = *state;
    struct entry *entry;

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, make_site(bench, "mx", plain_limits(1)));
    assert_true(next(bench));
    entry = bench->pick.entries[0];
    schedule_note_attempt(bench->schedule, entry);
    schedule_defer(bench->schedule, entry, bench->now_ms + 300000, bench->now_ms);
    site_greeted(bench->pick.site);
    site_transaction_ended(bench->pick.site, CLASS_BULK, true);
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).kind, WHY_RETRY);
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).until_ms,
                     bench->now_ms + 300000);
    bench->now_ms += 299999;
    assert_false(next(bench));
    bench->now_ms += 1;
    assert_true(next(bench));
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
    assert_true(next(bench));
    assert_ptr_equal(bench->pick.site, dead);
    schedule_defer(bench->schedule, bench->pick.entries[0], bench->now_ms + 300000, bench->now_ms);
    site_transaction_ended(dead, CLASS_BULK, false);
    site_closed(dead, false, bench->now_ms);
    site_unreachable(dead, "connection refused", &retry, 1U << 31, bench->now_ms);
    assert_false(next(bench));
    assert_int_equal(schedule_why_site(bench->schedule, dead, bench->now_ms).kind, WHY_UNREACHABLE);
    assert_string_equal(schedule_why_site(bench->schedule, dead, bench->now_ms).reason,
                        "connection refused");
    admit(bench, "alive.example", 1, CLASS_BULK, 1);
    route_all(bench, alive);
    assert_true(next(bench));
    assert_ptr_equal(bench->pick.site, alive);
    deliver(bench);
    bench->now_ms = schedule_why_site(bench->schedule, dead, bench->now_ms).until_ms;
    assert_true(next(bench)); /* the probe */
    assert_ptr_equal(bench->pick.site, dead);
    assert_false(next(bench));
    deliver(bench); /* it is back: everything goes on */
    assert_true(next(bench));
    assert_true(next(bench));
}

static void a_suspended_site_sends_nothing_until_it_is_resumed_or_its_time_is_over(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    admit(bench, "a.example", 1, CLASS_BULK, 1);
    admit(bench, "a.example", 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    site_suspend(site, "by hand", INT64_MAX);
    assert_false(next(bench));
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_SUSPENDED);
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).until_ms, -1);
    site_suspend(site, "for a minute", bench->now_ms + 60000);
    assert_false(next(bench));
    bench->now_ms += 60000;
    assert_true(next(bench));
    site_resume(site);
    assert_true(next(bench));
}

static void concurrency_grows_with_success_and_shrinks_when_told_slower(void **state)
{
    struct bench *bench = *state;
    struct site_limits limits = plain_limits(10);
    struct site *site;

    limits.start_connections = 2;
    site = make_site(bench, "mx", limits);
    assert_int_equal(site->window, 2);
    for (int i = 0; i < 20; i++)
        site_went_well(site);
    assert_int_equal(site->window, 10);
    site_slow_down(site);
    assert_int_equal(site->window, 5);
    for (int i = 0; i < 5; i++)
        site_slow_down(site);
    assert_int_equal(site->window, 1);
}

static void without_a_permit_a_site_waits_and_says_so(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));

    bench->n_permits = 0;
    admit(bench, "a.example", 1, CLASS_BULK, 1);
    route_all(bench, site);
    assert_false(next(bench));
    assert_true(schedule_wants_permits(bench->schedule));
    assert_int_equal(schedule_why_site(bench->schedule, site, bench->now_ms).kind, WHY_PERMITS);
    bench->n_permits = 1;
    schedule_permits_came(bench->schedule);
    assert_true(next(bench));
}

static void the_end_of_its_time_is_a_recipient_s_last_attempt(void **state)
{
    struct bench *bench = *state;
    struct new_entry restarted = {.message = message(bench, 1, CLASS_BULK),
                                  .domain = slice_of("a.example"),
                                  .n = 1,
                                  .needs_attempt = true};
    struct site *site = make_site(bench, "mx", plain_limits(1));

    restarted.message->life_s = 1;
    bench->now_ms += 10000;
    assert_int_equal(schedule_admit(bench->schedule, &restarted, bench->now_ms), 0);
    route_all(bench, site);
    assert_true(next(bench)); /* over its time, but not tried since the start */
    schedule_note_attempt(bench->schedule, bench->pick.entries[0]);
    assert_true(entry_is_expired(bench->schedule, bench->pick.entries[0], bench->now_ms));
    schedule_defer(bench->schedule, bench->pick.entries[0], bench->now_ms + 300000, bench->now_ms);
    site_greeted(site);
    site_transaction_ended(site, CLASS_BULK, true);
    bench->now_ms += 2000;
    assert_true(next(bench)); /* not in five minutes: now */
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
    site_suspend(site, "by hand", INT64_MAX);
    assert_false(next(bench));
    bench->now_ms += (int64_t)5 * 3600 * 1000;
    assert_false(next(bench));
    assert_int_equal(bench->n_delayed, 2);
    bench->now_ms += (int64_t)5 * 86400 * 1000;
    assert_false(next(bench));
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
    assert_true(next(bench));
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
    assert_true(next(bench));
    schedule_route(bench->schedule, schedule_domain(bench->schedule, slice_of("a.example")), new,
                   INT64_MAX);
    deliver(bench);
    assert_true(next(bench));
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
    assert_true(next(bench));
    entry = bench->pick.entries[0];
    schedule_hold(bench->schedule, entry);
    site_transaction_ended(bench->pick.site, CLASS_BULK, false);
    site_closed(bench->pick.site, false, bench->now_ms);
    bench->now_ms += (int64_t)30 * 86400 * 1000;
    assert_false(next(bench));
    assert_int_equal(schedule_why_entry(bench->schedule, entry, bench->now_ms).kind, WHY_HELD);
    schedule_take(bench->schedule, entry);
    schedule_return(bench->schedule, entry, bench->now_ms);
    bench->schedule->clock_epoch++; /* its time is long over; that is another test */
    assert_true(next(bench));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        CASE(a_deferred_recipient_comes_back_at_its_time_not_before),
        CASE(a_dead_site_gets_one_probe_at_a_time_and_costs_others_nothing),
        CASE(a_suspended_site_sends_nothing_until_it_is_resumed_or_its_time_is_over),
        CASE(concurrency_grows_with_success_and_shrinks_when_told_slower),
        CASE(without_a_permit_a_site_waits_and_says_so),
        CASE(the_end_of_its_time_is_a_recipient_s_last_attempt),
        CASE(mail_for_a_blocked_site_expires_and_is_told_late_nevertheless),
        CASE(a_clock_that_jumps_expires_nothing_before_another_attempt),
        CASE(a_domain_that_moves_takes_its_waiting_mail_along),
        CASE(what_is_asked_of_a_selection_touches_just_that),
        CASE(held_mail_stays_until_it_is_returned),
    };

    if (secret_start() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
