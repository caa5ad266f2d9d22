#include "relay/schedule/simulation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t simulation_dice(struct simulation *simulation)
{
    simulation->dice ^= simulation->dice << 13;
    simulation->dice ^= simulation->dice >> 7;
    simulation->dice ^= simulation->dice << 17;
    return (uint32_t)(simulation->dice >> 32);
}

/* ---- what the schedule asks ---- */

/* Into the schedule, at first and when it was forgotten meanwhile. */
static void enter(struct simulation *simulation, struct simulated_site *site)
{
    char name[32];

    snprintf(name, sizeof(name), "mx%u", site->number);
    site->site = schedule_make_site(simulation->schedule, slice_of(name),
                                    &site->group->plan.lane_limits, simulation->now_ms);
    if (!site->site)
        return;
    site->site->owner = site;
    site_set_provider(site->site, site->group->provider);
}

static void on_domain_wanted(void *owner, struct domain *domain)
{
    struct simulation *simulation = owner;
    struct simulated_site *site = simulation->sites[strtoul(domain->name + 1, NULL, 10)];

    if (!site->site)
        enter(simulation, site);
    schedule_route(simulation->schedule, domain, site->site, INT64_MAX);
}

static void on_site_unused(void *owner, struct site *site)
{
    struct simulated_site *simulated = site->owner;

    (void)owner;
    if (simulated)
        simulated->site = NULL;
}

static void on_expired(void *owner, struct entry *entry)
{
    struct simulation *simulation = owner;

    simulation->n_expired++;
    schedule_finish(simulation->schedule, entry);
}

static void on_delayed(void *owner, struct entry *entry)
{
    (void)owner;
    (void)entry;
}

/* ---- made ---- */

static void set_egress(struct simulation *simulation)
{
    struct egress_plan plan = {0};

    for (int pool = 0; pool < POOL_MOST; pool++)
        plan.pools[pool] = (uint16_t)((1U << simulation->n_addresses) - 1);
    schedule_set_egress(simulation->schedule, &plan);
}

static int make_group(struct simulation *simulation, struct simulation_group *group)
{
    const struct simulation_group_plan *plan = &group->plan;
    struct site_limits real = {.messages_per_minute = plan->real_per_minute};
    struct meter_board board;
    int error = meter_board_init(&board, &real);

    group->real = board.meters[PACE_MESSAGES_PER_MINUTE];
    if (error < 0 || !plan->is_provider)
        return error;
    group->provider =
        schedule_make_provider(simulation->schedule, slice_of(plan->name), &plan->provider_limits);
    if (group->provider)
        provider_set_road_limits(group->provider, &plan->road_limits);
    return group->provider ? meter_board_init(&group->board, &plan->provider_limits)
                           : FAULT(-ENOMEM);
}

int simulation_new(struct simulation **out, const struct simulation_group_plan *groups,
                   uint32_t n_groups, uint32_t n_addresses, uint64_t seed)
{
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    struct schedule_hooks hooks = {
        .owner = simulation,
        .on_domain_wanted = on_domain_wanted,
        .on_expired = on_expired,
        .on_delayed = on_delayed,
        .on_site_unused = on_site_unused,
        .end_idle = simulation_end_idle,
    };
    int error;

    if (!simulation)
        return FAULT(-ENOMEM);
    simulation->dice = seed * 0x9e3779b97f4a7c15ULL + 1;
    simulation->n_addresses = n_addresses;
    simulation->groups = calloc(n_groups ? n_groups : 1, sizeof(*simulation->groups));
    error = simulation->groups
                ? schedule_new(&simulation->schedule, &hooks, 0, simulation_utc_start_ms)
                : FAULT(-ENOMEM);
    if (error == 0)
        set_egress(simulation);
    for (uint32_t i = 0; error == 0 && i < n_groups; i++) {
        simulation->groups[i].plan = groups[i];
        simulation->n_groups++;
        error = make_group(simulation, &simulation->groups[i]);
    }
    if (error < 0)
        simulation_free(simulation);
    else
        *out = simulation;
    return error;
}

static void free_site(struct simulated_site *site)
{
    for (uint32_t egress = 0; egress < EGRESS_MOST; egress++)
        meter_board_fini(&site->boards[egress]);
    free(site);
}

struct simulation *simulation_free(struct simulation *simulation)
{
    struct heap_node *node;

    if (!simulation)
        return NULL;
    while ((node = heap_first(&simulation->moments)) != NULL) {
        heap_remove(&simulation->moments, node);
        simulation_free_connection(node);
    }
    heap_fini(&simulation->moments);
    schedule_free(simulation->schedule);
    for (uint32_t i = 0; i < simulation->n_sites; i++)
        free_site(simulation->sites[i]);
    for (uint32_t i = 0; i < simulation->n_groups; i++) {
        meter_board_fini(&simulation->groups[i].board);
        free(simulation->groups[i].real.last_ms);
    }
    free((void *)simulation->sites);
    free(simulation->groups);
    free(simulation->urgent_ms);
    free(simulation);
    return NULL;
}

static struct simulated_site *make_site(struct simulation *simulation,
                                        struct simulation_group *group)
{
    struct simulated_site *site = calloc(1, sizeof(*site));
    int error = 0;

    if (!site)
        return NULL;
    site->number = simulation->n_sites;
    site->group = group;
    site->mood = group->plan.mood;
    site->latency_ms = group->plan.latency_ms;
    for (uint32_t egress = 0; error == 0 && egress < simulation->n_addresses; egress++)
        error = meter_board_init(&site->boards[egress], &group->plan.lane_limits);
    if (error == 0)
        enter(simulation, site);
    if (!site->site) {
        free_site(site);
        return NULL;
    }
    return site;
}

static int keep_site(struct simulation *simulation, struct simulated_site *site)
{
    if (simulation->n_sites == simulation->capacity_sites) {
        uint32_t capacity = simulation->capacity_sites ? simulation->capacity_sites * 2 : 64;
        struct simulated_site **sites = (struct simulated_site **)reallocarray(
            (void *)simulation->sites, capacity, sizeof(void *));

        if (!sites)
            return FAULT(-ENOMEM);
        simulation->sites = sites;
        simulation->capacity_sites = capacity;
    }
    simulation->sites[simulation->n_sites++] = site;
    return 0;
}

static int admit(struct simulation *simulation, uint32_t site, uint32_t user_id,
                 enum message_class message_class)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    struct new_entry entry = {.message = stored, .n = 1};
    char name[32];
    int error;

    if (!stored)
        return FAULT(-ENOMEM);
    snprintf(name, sizeof(name), "d%u", site);
    entry.domain = slice_of(name);
    atomic_store(&stored->n_references, 1);
    stored->id = ++simulation->next_id;
    stored->arrived_utc_ms = simulation_utc_start_ms + simulation->now_ms;
    stored->life_s = 30 * 86400;
    stored->user_id = user_id;
    stored->class = (uint8_t)message_class;
    stored->is_single = true;
    error = schedule_admit(simulation->schedule, &entry, simulation->now_ms);
    if (error < 0)
        free(stored);
    return error;
}

int simulation_add(struct simulation *simulation, uint32_t group, uint32_t n_recipients,
                   uint32_t n_users)
{
    struct simulated_site *site = make_site(simulation, &simulation->groups[group]);
    int error;

    if (!site)
        return FAULT(-ENOMEM);
    error = keep_site(simulation, site);
    if (error < 0) {
        free_site(site);
        return error;
    }
    site->n_recipients = n_recipients;
    site->group->n_sites++;
    site->group->n_recipients += n_recipients;
    for (uint32_t i = 0; error == 0 && i < n_recipients; i++)
        error = admit(simulation, simulation->n_sites - 1, 1 + i % n_users, CLASS_BULK);
    return error;
}

/* ---- the run ---- */

static void turn(struct simulation *simulation)
{
    struct heap_node *node;

    while ((node = heap_first(&simulation->moments)) && node->key <= simulation->now_ms)
        simulation_come_to(simulation, node);
    while (schedule_advance(simulation->schedule, simulation->now_ms, 100000))
        continue;
    while (schedule_next(simulation->schedule, simulation->now_ms, &simulation->pick))
        simulation_take_off(simulation, &simulation->pick);
    if (simulation->on_quiet)
        simulation->on_quiet(simulation->owner, simulation);
}

static void send_urgent(struct simulation *simulation)
{
    uint32_t *grown = reallocarray(simulation->urgent_ms, simulation->n_urgent_sent + 1,
                                   sizeof(*simulation->urgent_ms));

    if (!grown)
        return;
    simulation->urgent_ms = grown;
    if (admit(simulation, 0, UINT32_MAX, CLASS_TRANSACTIONAL) == 0)
        simulation->n_urgent_sent++;
}

bool simulation_run(struct simulation *simulation, int64_t most_ms)
{
    int64_t urgent_ms = simulation->urgent_every_ms ? simulation->urgent_every_ms : INT64_MAX;

    while (simulation->schedule->entries.n_items > 0 && simulation->now_ms < most_ms) {
        int64_t next_ms;

        turn(simulation);
        next_ms = schedule_wake_ms(simulation->schedule);
        if (heap_first(&simulation->moments) && heap_first(&simulation->moments)->key < next_ms)
            next_ms = heap_first(&simulation->moments)->key;
        simulation->now_ms = next_ms > simulation->now_ms ? next_ms : simulation->now_ms + 1;
        if (simulation->now_ms >= urgent_ms && urgent_ms < simulation->urgent_until_ms) {
            simulation->now_ms = urgent_ms;
            send_urgent(simulation);
            urgent_ms += simulation->urgent_every_ms;
        }
    }
    return simulation->schedule->entries.n_items == 0;
}

static int compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

    return (one > other) - (one < other);
}

uint32_t simulation_urgent_p99_ms(struct simulation *simulation)
{
    uint32_t n = simulation->n_urgent;

    if (n == 0)
        return 0;
    qsort(simulation->urgent_ms, n, sizeof(*simulation->urgent_ms), compare);
    return simulation->urgent_ms[(n * 99 + 99) / 100 - 1];
}
