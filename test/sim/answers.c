/* "Why is it waiting, until when?" asked at random moments of a simulation, of random recipients:
 *     sim_answers RECIPIENTS SEED
 * At a moment when nothing more may leave, the answer is not "it is next".  An answer with an end
 * comes true: before that end nothing of that recipient's queue leaves, unless the receiver's
 * replies changed what was measured; and at the end it is not the same answer any more, or what it
 * named (a pace, a connection) was just used by another in line.
 * Meanwhile rules and operators suspend, limit and slow down what they like.  Ends with 1 when an
 * answer proved wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/schedule/simulation.h"

/* A connection may be opened EARLY_MS before its message's turn. */
enum { EARLY_MS = 1500, MOST_CLAIMS = 64, ASK_EVERY_MS = 400, RUN_MS = 8 * 3600 * 1000 };

/* What was answered about one recipient. */
struct claim {
    struct simulated_site *site;
    uint32_t entry; /* its number; of that id still, or the claim is void */
    uint64_t id;
    struct why why;
    uint64_t n_site_picks, n_all_picks;
    uint32_t n_changes;
};

static struct {
    struct claim claims[MOST_CLAIMS];
    unsigned n_claims;
    int64_t next_ask_ms;
    uint32_t n_changes; /* by rules and operators */
    uint64_t n_asked[N_WHYS], n_true, n_wrong;
} test;

static const enum why_kind until_kinds[] = {
    WHY_SUSPENDED,      WHY_UNREACHABLE, WHY_CONNECTION_PACE, WHY_MESSAGE_PACE,
    WHY_RESTS,          WHY_SLOWED,      WHY_PROVIDER_PACE,   WHY_PROVIDER_CONNECTION_PACE,
    WHY_PROVIDER_RESTS, WHY_WARM_UP,     WHY_ADDRESS_RESTS,   WHY_PROVIDER_SUSPENDED,
    WHY_RETRY,
};

static struct entry *entry_of(struct simulation *simulation, const struct claim *claim)
{
    struct entry *entry = pool_at(&simulation->schedule->entries, claim->entry);

    return entry->state != ENTRY_FREE && entry->message->id == claim->id ? entry : NULL;
}

static void complain(const struct claim *claim, int64_t now_ms, const char *what)
{
    test.n_wrong++;
    if (test.n_wrong < 10)
        printf("at %lld: %s until %lld: %s\n", (long long)now_ms, why_name(claim->why.kind),
               (long long)claim->why.until_ms, what);
}

/* Its end has come. */
static void check_end(struct simulation *simulation, const struct claim *claim)
{
    struct entry *entry = entry_of(simulation, claim);
    struct why why;

    if (!entry || entry->state != ENTRY_READY) {
        test.n_true++; /* it left, or was deferred: it had its turn */
        return;
    }
    why = schedule_why_entry(simulation->schedule, entry, simulation->now_ms);
    if (why.kind == claim->why.kind && why.until_ms >= 0 && why.until_ms <= simulation->now_ms)
        complain(claim, simulation->now_ms, "asked again, its end is over");
    else
        test.n_true++;
}

/* Easier times: a success gives back pace and finds a dead site alive, and a connection that became
 * free needs no new one. */
static bool ends_by_events(enum why_kind kind)
{
    return kind == WHY_SLOWED || kind == WHY_UNREACHABLE || kind == WHY_CONNECTION_PACE ||
           kind == WHY_PROVIDER_CONNECTION_PACE;
}

/* True: there is nothing more to learn from it. */
static bool look_at(struct simulation *simulation, const struct claim *claim)
{
    struct entry *entry;

    if (claim->n_changes != test.n_changes)
        return true; /* somebody changed the rules meanwhile */
    if (simulation->now_ms >= claim->why.until_ms) {
        check_end(simulation, claim);
        return true;
    }
    entry = entry_of(simulation, claim);
    if (entry && entry->state != ENTRY_SENDING)
        return false;
    if (simulation->now_ms + EARLY_MS < claim->why.until_ms && !ends_by_events(claim->why.kind))
        complain(claim, simulation->now_ms, "it left before that");
    return true;
}

static void look_at_claims(struct simulation *simulation)
{
    for (unsigned i = 0; i < test.n_claims;) {
        if (look_at(simulation, &test.claims[i]))
            test.claims[i] = test.claims[--test.n_claims];
        else
            i++;
    }
}

static bool has_end(struct why why)
{
    for (size_t i = 0; i < sizeof(until_kinds) / sizeof(until_kinds[0]); i++)
        if (why.kind == until_kinds[i])
            return why.until_ms >= 0;
    return false;
}

/* Of those before it: the first of its queue, and of its provider's line. */
static bool first_may_go(struct simulation *simulation, const struct entry *entry)
{
    const struct queue *queue = entry_flow(simulation->schedule, entry)->share->queue;
    const struct provider *provider = queue->site->provider;

    if (provider && !list_is_empty(&queue->station))
        queue = CONTAINER_OF(provider->stations[queue->message_class][queue->pool].next,
                             struct queue, station);
    return schedule_why_queue(simulation->schedule, queue, simulation->now_ms).kind == WHY_NEXT;
}

static void ask(struct simulation *simulation)
{
    struct pool *entries = &simulation->schedule->entries;
    uint32_t number = simulation_dice(simulation) % entries->n_numbers;
    struct entry *entry = pool_at(entries, number);
    struct claim claim = {.entry = number, .n_changes = test.n_changes};

    if (entry->state == ENTRY_FREE || entry->state == ENTRY_SENDING)
        return;
    claim.id = entry->message->id;
    claim.why = schedule_why_entry(simulation->schedule, entry, simulation->now_ms);
    test.n_asked[claim.why.kind]++;
    if (claim.why.kind == WHY_NEXT || claim.why.kind == WHY_NOTHING)
        complain(&claim, simulation->now_ms, "said where nothing may leave");
    else if (claim.why.kind == WHY_BEHIND && first_may_go(simulation, entry))
        complain(&claim, simulation->now_ms, "but the first may go");
    else if (has_end(claim.why) && claim.why.until_ms <= simulation->now_ms)
        complain(&claim, simulation->now_ms, "an end that is over");
    else if (has_end(claim.why) && test.n_claims < MOST_CLAIMS)
        test.claims[test.n_claims++] = claim;
}

static struct bound *any_bound(struct simulation *simulation)
{
    uint32_t dice = simulation_dice(simulation);
    struct simulated_site *site = simulation->sites[dice % simulation->n_sites];
    struct lane *lane;

    if (!site->site)
        return NULL;
    lane = site_lane(site->site, dice / 7 % simulation->n_addresses);
    switch (dice / 3 % 4) {
    case 0:
        return &site->site->bound;
    case 1:
        return &lane->bound;
    case 2:
        return lane_road(lane);
    default:
        return site->site->provider ? &site->site->provider->bound : &site->site->bound;
    }
}

/* What rules and operators do. */
static void meddle(struct simulation *simulation)
{
    struct site_limits limits = {.messages_per_minute = 1 + simulation_dice(simulation) % 60};
    int64_t now_ms = simulation->now_ms;
    int64_t until_ms = now_ms + 1000 + simulation_dice(simulation) % 600000;
    enum bound_voice voice = (enum bound_voice)(simulation_dice(simulation) % N_BOUND_VOICES);
    struct bound *bound = any_bound(simulation);

    if (!bound)
        return;
    test.n_changes++;
    switch (simulation_dice(simulation) % 5) {
    case 0:
        bound_suspend(bound, voice, "said so", until_ms, now_ms);
        break;
    case 1:
        bound_resume(bound, voice, now_ms);
        break;
    case 2:
        bound_limit(bound, voice, &limits, "not so fast", until_ms, now_ms);
        break;
    case 3:
        bound_unlimit(bound, voice, now_ms);
        break;
    default:
        bound_slow_down(bound, "421 slower", now_ms, now_ms);
        break;
    }
}

static void on_quiet(void *owner, struct simulation *simulation)
{
    (void)owner;
    look_at_claims(simulation);
    if (simulation->now_ms < test.next_ask_ms)
        return;
    test.next_ask_ms = simulation->now_ms + simulation_dice(simulation) % ASK_EVERY_MS;
    for (int i = 0; i < 4; i++)
        ask(simulation);
    if (simulation_dice(simulation) % 256 == 0)
        meddle(simulation);
}

static const struct simulation_group_plan plans[] = {
    {.name = "slow",
     .is_provider = true,
     .latency_ms = 300,
     .lane_limits = {.connections = 4, .start_connections = 2, .connections_per_minute = 20},
     .provider_limits = {.connections = 3, .messages_per_connection = 5, .messages_per_second = 2}},
    {.name = "hourly",
     .is_provider = true,
     .latency_ms = 200,
     .lane_limits = {.connections = 2, .start_connections = 2},
     .provider_limits = {.messages_per_minute = 60, .messages_per_hour = 1000}},
    {.name = "storms",
     .latency_ms = 250,
     .mood = MOOD_STORMS,
     .storm_every_ms = 600000,
     .storm_ms = 60000,
     .lane_limits = {.connections = 5, .start_connections = 1, .messages_per_second = 10}},
    {.name = "dead",
     .latency_ms = 250,
     .mood = MOOD_DEAD,
     .dead_ms = 3600000,
     .lane_limits = {.connections = 5, .start_connections = 1}},
    {.name = "greylisting",
     .latency_ms = 250,
     .mood = MOOD_GREYLISTING,
     .lane_limits = {.connections = 5, .start_connections = 1}                              },
};

enum { N_PLANS = sizeof(plans) / sizeof(plans[0]), SITES_EACH = 4 };

static int report(const struct simulation *simulation)
{
    uint64_t n_asked = 0, n_violations = 0;

    for (int kind = 0; kind < N_WHYS; kind++) {
        n_asked += test.n_asked[kind];
        if (test.n_asked[kind])
            printf("%s %llu  ", why_name((enum why_kind)kind),
                   (unsigned long long)test.n_asked[kind]);
    }
    for (uint32_t i = 0; i < simulation->n_groups; i++)
        n_violations += simulation->groups[i].n_violations;
    printf("\n%llu asked, %llu with an end came true, %llu wrong; %u meddlings, limits exceeded "
           "%llu\n",
           (unsigned long long)n_asked, (unsigned long long)test.n_true,
           (unsigned long long)test.n_wrong, test.n_changes, (unsigned long long)n_violations);
    return test.n_wrong || test.n_true < 1000 || n_violations ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct simulation *simulation;
    uint32_t n_recipients;
    int status;

    if (argc != 3 || secret_start() < 0)
        return 64;
    n_recipients = (uint32_t)strtoul(argv[1], NULL, 10);
    if (simulation_new(&simulation, plans, N_PLANS, 2, strtoul(argv[2], NULL, 10)) < 0)
        return 71;
    for (uint32_t i = 0; i < N_PLANS * SITES_EACH; i++)
        if (simulation_add(simulation, i % N_PLANS, n_recipients / N_PLANS / SITES_EACH, 3) < 0)
            return 71;
    simulation->on_quiet = on_quiet;
    simulation->urgent_every_ms = 30000;
    simulation->urgent_until_ms = RUN_MS;
    simulation_run(simulation, RUN_MS);
    status = report(simulation);
    simulation_free(simulation);
    return status;
}
