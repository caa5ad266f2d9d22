/* What a scheduling decision costs, and a recipient in memory: for queues of 10,000 to 5 million
 * recipients over 1 to 200,000 domains; and what a dead domain with a million waiting costs a live
 * one beside it.
 *   bench_schedule [MOST_RECIPIENTS]
 *   bench_schedule held        what walking over held recipients costs (relay/delivery/hold_desk.c)
 * A decision is the whole way of a transaction through the schedule: due, picked, its turn taken,
 * answered, gone; one recipient a message, as in a mailing that names its reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "relay/base/secret.h"
#include "relay/schedule/schedule.h"
#include "relay/schedule/select.h"
#include "relay/schedule/simulation.h"

enum { DECISIONS = 400000, BATCH = 20000, USERS = 50, ROUNDS = 5, LIVE = 200000, DEAD = 1000000 };

static struct schedule *schedule;
static struct site **sites;
static int64_t now_ms;

static double cpu_us(void)
{
    struct timespec at;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[256] = "", *rest = line;

    if (file) {
        if (!fgets(line, sizeof(line), file))
            line[0] = '\0';
        fclose(file);
    }
    strtoul(rest, &rest, 10); /* all pages; then those in memory */
    return (double)strtoul(rest, NULL, 10) * 4096;
}

static void on_domain_wanted(void *owner, struct domain *domain)
{
    (void)owner;
    schedule_route(schedule, domain, sites[strtoul(domain->name + 1, NULL, 10)], INT64_MAX);
}

static void on_entry(void *owner, struct entry *entry)
{
    (void)owner, (void)entry;
}

static void admit(uint32_t domain, uint32_t user_id, int64_t held_until_ms)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    struct new_entry entry = {
        .message = stored, .n = 1, .is_held = held_until_ms > 0, .due_ms = held_until_ms};
    char name[32];

    if (!stored)
        abort();
    snprintf(name, sizeof(name), "d%u", domain);
    entry.domain = slice_of(name);
    atomic_store(&stored->n_references, 1);
    stored->arrived_utc_ms = 1700000000000;
    stored->life_s = 5 * 86400;
    stored->user_id = user_id;
    stored->class = CLASS_BULK;
    stored->is_single = true;
    if (schedule_admit(schedule, &entry, now_ms) < 0)
        abort();
}

static void fill(uint32_t n_recipients, uint32_t n_domains)
{
    struct site_limits limits = {.connections = 10, .start_connections = 10};

    sites = (struct site **)calloc(n_domains, sizeof(struct site *));
    if (!sites)
        abort();
    for (uint32_t i = 0; i < n_domains; i++) {
        char name[32];

        snprintf(name, sizeof(name), "mx%u", i);
        sites[i] = schedule_make_site(schedule, slice_of(name), &limits, now_ms);
    }
    for (uint32_t i = 0; i < n_recipients; i++)
        admit(i % n_domains, 1 + i % USERS, 0);
    while (schedule_advance(schedule, now_ms, 100000))
        continue;
}

/* The receiver takes it at once, and closes the connection after its tenth message. */
static bool decide(void)
{
    static struct pick pick;
    struct lane *lane;

    if (!schedule_next(schedule, now_ms, &pick))
        return false;
    lane = pick.lane;
    if (pick.needs_connection)
        lane_greeted(lane, now_ms);
    lane_take_turn(lane, pick.message_class, now_ms);
    for (uint32_t i = 0; i < pick.n_entries; i++)
        schedule_finish(schedule, pick.entries[i]);
    lane_went_well(lane, now_ms);
    lane_transaction_ended(lane, pick.message_class, false);
    lane_closed(lane, true, now_ms);
    return true;
}

/* The best of some batches, since other programs run meanwhile; what left is admitted again. */
static void measure(uint32_t n_recipients, uint32_t n_domains)
{
    struct schedule_hooks hooks = {
        .on_domain_wanted = on_domain_wanted, .on_expired = on_entry, .on_delayed = on_entry};
    double before = resident_bytes(), started, bytes, least = 1e9;
    uint32_t n = 0;

    if (schedule_new(&schedule, &hooks, now_ms, 1700000000000) < 0)
        abort();
    fill(n_recipients, n_domains);
    bytes = resident_bytes() - before;
    while (n < DECISIONS) {
        uint32_t batch = n_recipients / 10, done = 0;

        started = cpu_us();
        for (; done < batch && done < BATCH && decide(); done++)
            n++;
        now_ms += 10;
        schedule_advance(schedule, now_ms, 1000);
        started = (cpu_us() - started) / done;
        least = started < least ? started : least;
        for (uint32_t i = 0; i < done; i++)
            admit((n + i) % n_domains, 1 + i % USERS, 0);
        while (schedule_advance(schedule, now_ms, 100000))
            continue;
    }
    printf("%10u %9u %12.2f %12.0f %14.0f\n", n_recipients, n_domains, least, bytes / n_recipients,
           resident_bytes() / 1e6);
    fflush(stdout);
    schedule = schedule_free(schedule);
    free((void *)sites);
}

/* ---- held mail ---- */

enum { HELD_DOMAINS = 1000, SLICE = 1000 /* as VISIT_CHANGES */, WALKS = 7 };

static int64_t least_ms;

/* What the desk reads of each: its message's user and until when it is held. */
static void look_at(void *owner, struct entry *entry)
{
    const uint32_t *n_users = owner;
    int64_t due_ms = schedule->start_ms + (int64_t)entry->due_s * 1000;

    if (entry->state != ENTRY_HELD || entry->message->user_id > *n_users ||
        entry_is_held_no_more(schedule, entry, now_ms))
        abort();
    least_ms = due_ms < least_ms ? due_ms : least_ms;
}

struct walked {
    double us, longest_us; /* all of it, and its longest slice */
};

static struct walked walk(void)
{
    static const struct selection all = {.is_all = true};
    struct walked walked = {0, 0};
    uint32_t cursor = 0, n_users = USERS;
    bool has_more = true;

    least_ms = INT64_MAX;
    while (has_more) {
        double started = cpu_us(), us;

        has_more = schedule_select(schedule, &all, &cursor, SLICE, look_at, &n_users);
        us = cpu_us() - started;
        walked.us += us;
        walked.longest_us = us > walked.longest_us ? us : walked.longest_us;
    }
    return walked;
}

/* The best of some walks, each over memory that the one before left. */
static void measure_held(uint32_t n)
{
    struct schedule_hooks hooks = {
        .on_domain_wanted = on_domain_wanted, .on_expired = on_entry, .on_delayed = on_entry};
    struct walked best = {1e18, 1e18};

    if (schedule_new(&schedule, &hooks, now_ms, 1700000000000) < 0)
        abort();
    for (uint32_t i = 0; i < n; i++)
        admit(i % HELD_DOMAINS, 1 + i % USERS, now_ms + 3600000 + i % 86400000);
    for (int i = 0; i < WALKS; i++) {
        struct walked walked = walk();

        best.us = walked.us < best.us ? walked.us : best.us;
        best.longest_us = walked.longest_us < best.longest_us ? walked.longest_us : best.longest_us;
    }
    printf(
        "%10u held: a walk %8.1f ms of CPU, %5.1f ns each, the longest of its %u slices %.0f us\n",
        n, best.us / 1e3, best.us * 1e3 / n, n / SLICE, best.longest_us);
    fflush(stdout);
    schedule = schedule_free(schedule);
}

struct live {
    double per_second; /* of virtual time */
    double cpu_us;     /* a message */
};

static struct live run_live(uint32_t n_dead)
{
    static const struct simulation_group_plan plans[2] = {
        {.name = "live",
         .latency_ms = 5,
         .lane_limits = {.connections = 10, .start_connections = 10}},
        { .name = "dead",
         .latency_ms = 1000,
         .mood = MOOD_DEAD,
         .dead_ms = INT64_MAX,
         .lane_limits = {.connections = 10, .start_connections = 10}},
    };
    struct simulation *simulation;
    struct live live;
    double started;

    if (simulation_new(&simulation, plans, 2, 1, 1) < 0 ||
        simulation_add(simulation, 0, LIVE, USERS) < 0 ||
        (n_dead && simulation_add(simulation, 1, n_dead, USERS) < 0))
        abort();
    while (schedule_advance(simulation->schedule, 0, 100000))
        continue;
    started = cpu_us();
    while (simulation->groups[0].n_delivered < LIVE)
        simulation_run(simulation, simulation->now_ms + 1000);
    live.cpu_us = (cpu_us() - started) / LIVE;
    live.per_second = LIVE * 1000.0 / (double)simulation->groups[0].finished_ms;
    simulation_free(simulation);
    return live;
}

static struct live best_of_rounds(uint32_t n_dead)
{
    struct live best = run_live(n_dead);

    for (int i = 1; i < ROUNDS; i++) {
        struct live live = run_live(n_dead);

        if (live.cpu_us < best.cpu_us)
            best = live;
    }
    return best;
}

static void compare_with_dead(void)
{
    struct live alone = best_of_rounds(0), beside = best_of_rounds(DEAD);

    printf("a live domain of 10 connections and 5 ms an answer: %.0f messages/s and %.2f us of CPU "
           "each alone;\n%.0f (%.1f %%) and %.2f us beside a dead domain with %d waiting\n",
           alone.per_second, alone.cpu_us, beside.per_second,
           100 * beside.per_second / alone.per_second, beside.cpu_us, DEAD);
}

int main(int argc, char **argv)
{
    static const uint32_t recipients[] = {10000, 100000, 1000000, 5000000};
    static const uint32_t domains[] = {1, 1000, 200000};
    uint32_t most = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000000;

    if (secret_start() < 0)
        return 71;
    if (argc > 1 && strcmp(argv[1], "held") == 0) {
        measure_held(1000000);
        measure_held(5000000);
        return 0;
    }
    printf("%10s %9s %12s %12s %14s\n", "recipients", "domains", "us/decision", "bytes each",
           "MB resident");
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            if (recipients[i] <= most && domains[k] <= recipients[i])
                measure(recipients[i], domains[k]);
    compare_with_dead();
    return 0;
}
