#include "test/support/schedule_bench.h"

#include <stdlib.h>

#include "relay/schedule/provider.h"
#include "test/support/test_support.h"

static const int64_t START_UTC_MS = 1700000000000;

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

struct site_limits plain_limits(uint32_t connections)
{
    return (struct site_limits){.connections = connections, .start_connections = connections};
}

int bench_set_up(void **state)
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

int bench_tear_down(void **state)
{
    struct bench *bench = *state;

    schedule_free(bench->schedule);
    free(bench);
    return 0;
}

int64_t utc_of(const struct bench *bench)
{
    return START_UTC_MS + bench->now_ms - START_MS;
}

struct stored *new_message(struct bench *bench, uint32_t user_id, enum message_class class)
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

struct stored *admit(struct bench *bench, const char *domain, uint32_t user_id,
                     enum message_class class, uint32_t n)
{
    struct stored *stored = new_message(bench, user_id, class);

    for (uint32_t i = 1; i <= n; i++) {
        struct new_entry entry = {
            .message = i > 1 ? stored_ref(stored) : stored, .domain = slice_of(domain), .n = i};

        assert_int_equal(schedule_admit(bench->schedule, &entry, bench->now_ms), 0);
    }
    return stored;
}

struct site *make_site(struct bench *bench, const char *name, struct site_limits limits)
{
    return schedule_make_site(bench->schedule, slice_of(name), &limits, bench->now_ms);
}

void route_all(struct bench *bench, struct site *site)
{
    while (bench->n_wanted > 0)
        schedule_route(bench->schedule, bench->wanted[--bench->n_wanted], site, INT64_MAX);
    schedule_advance(bench->schedule, bench->now_ms, 1000);
}

struct site *one_for(struct bench *bench, const char *name, struct provider *provider)
{
    struct site *site = make_site(bench, name, plain_limits(5));

    site_set_provider(site, provider);
    admit(bench, name, 1, CLASS_TRANSACTIONAL, 1);
    route_all(bench, site);
    return site;
}

bool next_pick(struct bench *bench)
{
    schedule_advance(bench->schedule, bench->now_ms, 1000000);
    return schedule_next(bench->schedule, bench->now_ms, &bench->pick);
}

void deliver(struct bench *bench)
{
    struct pick *pick = &bench->pick;

    for (uint32_t i = 0; i < pick->n_entries; i++)
        schedule_finish(bench->schedule, pick->entries[i]);
    if (pick->needs_connection)
        lane_greeted(pick->lane, bench->now_ms);
    lane_take_turn(pick->lane, pick->message_class, bench->now_ms);
    lane_went_well(pick->lane, bench->now_ms);
    lane_transaction_ended(pick->lane, pick->message_class, true);
}
