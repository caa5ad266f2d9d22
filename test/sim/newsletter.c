/* A newsletter through the schedule, against simulated receivers, in virtual time:
 *     sim_newsletter RECIPIENTS DOMAINS SEED
 * Domains differ in size as they do in life; each has its own limit of connections and messages a
 * second, a latency, and a mood: steady, greylisting, dead for an hour, or with storms of 421.
 * Meanwhile another user sends one urgent message every ten seconds to the busiest domain.
 * Counted at the receivers: limits exceeded in any window; at the end: what was not delivered, the
 * slowest urgent message, deferrals of steady receivers.  Ends with 1 when a promise is broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "relay/base/secret.h"
#include "relay/schedule/schedule.h"

enum mood { STEADY, GREYLISTING, DEAD_FOR_AN_HOUR, STORMY };
enum { CONNECTIONS = 10, PER_SECOND = 100, URGENT_EVERY_MS = 10000, URGENT_MOST_MS = 5000 };

static const int64_t utc_start_ms = 1700000000000;

struct receiver {
    struct site *site;
    enum mood mood;
    uint32_t n_recipients;
    uint32_t latency_ms;
    uint32_t n_open, n_deferred, n_violations;
    int64_t last_ms[PER_SECOND]; /* when the last so many messages came: a ring */
    uint32_t at;
};

/* A transaction under way; due when the receiver has answered. */
struct flight {
    struct heap_node node;
    struct receiver *receiver;
    struct lane *lane;
    bool is_new; /* its connection */
    enum message_class message_class;
    uint32_t n_entries;
    struct entry *entries[];
};

static struct {
    struct schedule *schedule;
    struct receiver *receivers;
    uint32_t n_domains, n_recipients;
    int64_t now_ms;
    struct heap flights;
    uint64_t n_delivered, n_attempts, n_urgent, n_expired;
    int64_t slowest_urgent_ms, last_delivery_ms;
    uint64_t next_id;
} sim;

static void on_domain_wanted(void *owner, struct domain *domain)
{
    struct receiver *receiver = &sim.receivers[strtoul(domain->name + 1, NULL, 10)];

    (void)owner;
    /* Not from within: the answer comes with the next turn of the loop. */
    receiver->site->owner = receiver;
    schedule_route(sim.schedule, domain, receiver->site, INT64_MAX);
}

static void on_expired(void *owner, struct entry *entry)
{
    (void)owner;
    sim.n_expired++;
    schedule_finish(sim.schedule, entry);
}

static void on_delayed(void *owner, struct entry *entry)
{
    (void)owner;
    (void)entry;
}

static void make_receivers(void)
{
    static const enum mood moods[20] = {GREYLISTING, DEAD_FOR_AN_HOUR, STORMY};

    sim.receivers = calloc(sim.n_domains, sizeof(*sim.receivers));
    for (uint32_t i = 0; i < sim.n_domains; i++) {
        struct receiver *receiver = &sim.receivers[i];
        struct site_limits limits = site_limits_default;
        char name[32];

        snprintf(name, sizeof(name), "mx.d%u", i);
        limits.connections = CONNECTIONS;
        limits.messages_per_second = PER_SECOND;
        limits.messages_per_connection = 0;
        receiver->mood = i < 20 ? STEADY : moods[rand() % 20];
        receiver->latency_ms = 100 + (uint32_t)rand() % 900;
        receiver->site = schedule_make_site(sim.schedule, slice_of(name), &limits, sim.now_ms);
        for (int k = 0; k < PER_SECOND; k++)
            receiver->last_ms[k] = INT64_MIN / 2;
    }
}

static void admit(uint32_t domain, uint32_t user_id, enum message_class message_class)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    char name[32];
    struct new_entry entry = {.message = stored, .n = 1};

    snprintf(name, sizeof(name), "d%u", domain);
    entry.domain = slice_of(name);
    atomic_store(&stored->n_references, 1);
    stored->id = ++sim.next_id;
    stored->arrived_utc_ms = utc_start_ms + sim.now_ms;
    stored->life_s = 5 * 86400;
    stored->user_id = user_id;
    stored->class = (uint8_t)message_class;
    if (schedule_admit(sim.schedule, &entry, sim.now_ms) < 0)
        abort();
    sim.receivers[domain].n_recipients++;
}

/* Few large domains, many small ones: the k-th is 1/k as large as the first. */
static void admit_newsletter(void)
{
    double total = 0, taken = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < sim.n_domains; i++)
        total += 1.0 / (i + 20);
    for (uint32_t i = 0; i < sim.n_domains; i++) {
        uint32_t until;

        taken += 1.0 / (i + 20);
        until = i + 1 == sim.n_domains ? sim.n_recipients
                                       : (uint32_t)(taken / total * sim.n_recipients);
        for (; n < until; n++)
            admit(i, 1, CLASS_BULK);
    }
}

static bool is_dead(const struct receiver *receiver)
{
    return receiver->mood == DEAD_FOR_AN_HOUR && sim.now_ms < 3600 * 1000;
}

/* What the receiver counts when a message is offered. */
static void count_at_receiver(struct receiver *receiver, bool is_new)
{
    int64_t *oldest = &receiver->last_ms[receiver->at];

    if (is_new)
        receiver->n_open++;
    if (receiver->n_open > CONNECTIONS || sim.now_ms - *oldest < 1000)
        receiver->n_violations++;
    *oldest = sim.now_ms;
    receiver->at = (receiver->at + 1) % PER_SECOND;
}

static void take_off(const struct pick *pick)
{
    struct receiver *receiver = pick->site->owner;
    struct flight *flight = malloc(sizeof(*flight) + pick->n_entries * sizeof(struct entry *));
    int64_t latency_ms = receiver->latency_ms * (pick->needs_connection ? 3 : 1);

    if (!flight)
        abort();
    *flight = (struct flight){.receiver = receiver,
                              .lane = pick->lane,
                              .is_new = pick->needs_connection,
                              .message_class = pick->message_class,
                              .n_entries = pick->n_entries};
    memcpy(flight->entries, pick->entries, pick->n_entries * sizeof(struct entry *));
    lane_take_turn(pick->lane, pick->message_class, sim.now_ms);
    count_at_receiver(receiver, pick->needs_connection);
    if (heap_set(&sim.flights, &flight->node, sim.now_ms + latency_ms) < 0)
        abort();
}

static bool says_later(const struct receiver *receiver, const struct entry *entry)
{
    if (receiver->mood == GREYLISTING)
        return entry->attempts == 0;
    /* Two minutes of every twenty. */
    return receiver->mood == STORMY && sim.now_ms / 120000 % 10 == 3;
}

static void defer(struct entry *entry)
{
    uint32_t dice = (uint32_t)rand() * 2U;

    schedule_note_attempt(sim.schedule, entry);
    schedule_defer(sim.schedule, entry,
                   sim.now_ms + retry_wait_ms(&sim.schedule->retry, entry->attempts, dice),
                   sim.now_ms);
}

static void deliver(struct entry *entry)
{
    int64_t took_ms = utc_start_ms + sim.now_ms - entry->message->arrived_utc_ms;

    sim.n_delivered++;
    sim.last_delivery_ms = sim.now_ms;
    if (entry->message->user_id == 2 && took_ms > sim.slowest_urgent_ms)
        sim.slowest_urgent_ms = took_ms;
    schedule_finish(sim.schedule, entry);
}

static void fail_to_connect(struct flight *flight)
{
    struct receiver *receiver = flight->receiver;

    for (uint32_t i = 0; i < flight->n_entries; i++)
        defer(flight->entries[i]);
    receiver->n_open--;
    lane_transaction_ended(flight->lane, flight->message_class, false);
    lane_closed(flight->lane, false, sim.now_ms);
    lane_unreachable(flight->lane, "dead", &sim.schedule->retry, (uint32_t)rand() * 2U, sim.now_ms);
}

static void land(struct flight *flight)
{
    struct receiver *receiver = flight->receiver;
    bool is_slow = false;

    if (flight->is_new && is_dead(receiver)) {
        fail_to_connect(flight);
        return;
    }
    if (flight->is_new)
        lane_greeted(flight->lane, sim.now_ms);
    for (uint32_t i = 0; i < flight->n_entries; i++) {
        sim.n_attempts++;
        if (says_later(receiver, flight->entries[i])) {
            is_slow |= receiver->mood == STORMY;
            receiver->n_deferred++;
            defer(flight->entries[i]);
        } else {
            deliver(flight->entries[i]);
        }
    }
    if (is_slow)
        lane_slow_down(flight->lane, "421", sim.now_ms);
    else
        lane_went_well(flight->lane, sim.now_ms);
    lane_transaction_ended(flight->lane, flight->message_class, !is_slow);
    if (is_slow) { /* 421: it closes */
        receiver->n_open--;
        lane_closed(flight->lane, true, sim.now_ms);
    }
}

static void turn(void)
{
    static struct pick pick;
    struct heap_node *node;

    while ((node = heap_first(&sim.flights)) && node->key <= sim.now_ms) {
        struct flight *flight = CONTAINER_OF(node, struct flight, node);

        heap_remove(&sim.flights, node);
        land(flight);
        free(flight);
    }
    while (schedule_advance(sim.schedule, sim.now_ms, 100000))
        continue;
    while (schedule_next(sim.schedule, sim.now_ms, &pick))
        take_off(&pick);
}

static int64_t next_moment(void)
{
    int64_t at_ms = schedule_wake_ms(sim.schedule);

    if (heap_first(&sim.flights) && heap_first(&sim.flights)->key < at_ms)
        at_ms = heap_first(&sim.flights)->key;
    return at_ms > sim.now_ms ? at_ms : sim.now_ms + 1;
}

static void run(void)
{
    int64_t next_urgent_ms = URGENT_EVERY_MS;

    while (sim.schedule->entries.n_items > 0) {
        turn();
        sim.now_ms = next_moment();
        if (next_urgent_ms < 600000 && sim.now_ms >= next_urgent_ms) {
            sim.now_ms = next_urgent_ms;
            admit(0, 2, CLASS_TRANSACTIONAL);
            sim.n_urgent++;
            next_urgent_ms += URGENT_EVERY_MS;
        }
    }
}

static int report(double cpu_s)
{
    uint64_t n_violations = 0, n_steady_deferred = 0;
    struct rusage usage;
    bool is_kept;

    for (uint32_t i = 0; i < sim.n_domains; i++) {
        n_violations += sim.receivers[i].n_violations;
        if (sim.receivers[i].mood == STEADY)
            n_steady_deferred += sim.receivers[i].n_deferred;
    }
    getrusage(RUSAGE_SELF, &usage);
    is_kept = sim.n_delivered == sim.n_recipients + sim.n_urgent && n_violations == 0 &&
              sim.slowest_urgent_ms <= URGENT_MOST_MS && n_steady_deferred == 0 &&
              sim.n_expired == 0;
    printf("%u recipients, %u domains: %llu delivered in %lld simulated s, %.1f s of CPU, "
           "%.2f us an attempt, %ld MB\n"
           "limits exceeded %llu, deferred by steady receivers %llu, expired %llu, "
           "urgent mail %llu, slowest %lld ms: %s\n",
           sim.n_recipients, sim.n_domains, (unsigned long long)sim.n_delivered,
           (long long)sim.last_delivery_ms / 1000, cpu_s, cpu_s * 1e6 / (double)sim.n_attempts,
           usage.ru_maxrss / 1024, (unsigned long long)n_violations,
           (unsigned long long)n_steady_deferred, (unsigned long long)sim.n_expired,
           (unsigned long long)sim.n_urgent, (long long)sim.slowest_urgent_ms,
           is_kept ? "promises kept" : "PROMISE BROKEN");
    return is_kept ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct schedule_hooks hooks = {
        .on_domain_wanted = on_domain_wanted, .on_expired = on_expired, .on_delayed = on_delayed};
    int status;

    if (argc != 4 || secret_start() < 0)
        return 64;
    sim.n_recipients = (uint32_t)strtoul(argv[1], NULL, 10);
    sim.n_domains = (uint32_t)strtoul(argv[2], NULL, 10);
    srand((unsigned)strtoul(argv[3], NULL, 10));
    if (schedule_new(&sim.schedule, &hooks, 0, utc_start_ms) < 0)
        return 71;
    make_receivers();
    admit_newsletter();
    run();
    status = report((double)clock() / CLOCKS_PER_SEC);
    schedule_free(sim.schedule);
    heap_fini(&sim.flights);
    free(sim.receivers);
    return status;
}
