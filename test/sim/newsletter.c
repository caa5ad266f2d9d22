/* A newsletter through the schedule, against simulated receivers, in virtual time:
 *     sim_newsletter RECIPIENTS DOMAINS SEED
 * Providers and their limits are as in policy/providers.conf, with some that greylist, are dead for
 * an hour, or have storms of 421; the rest of the domains are strangers of all moods.  Meanwhile
 * another user sends one urgent message every ten seconds to a site of two connections.
 * Prints a row for each provider and ends with 1 when a promise is broken: the time against the
 * best possible under our limits, limits exceeded in any sliding window as receivers count,
 * deferrals of steady receivers, the urgent mail's slowest but one in a hundred. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "relay/base/secret.h"
#include "relay/schedule/simulation.h"

#define DEFAULTS                                                                                   \
    .connections = 10, .start_connections = 2, .connections_per_minute = 100,                      \
    .messages_per_connection = 100, .messages_per_second = 100
#define STORMS .mood = MOOD_STORMS, .storm_every_ms = 1200000, .storm_ms = 120000

/* To begin costs a constant: two connections, then one more for each message taken, no faster than
 * connections a minute allow (ten of them take 5.4 s), and a site's last messages leave from fewer.
 * A list of a few seconds is mostly that. */
enum { URGENT_MOST_MS = 5000, BEGINNING_MS = 10000 };

/* Urgent mail goes to the first row's site and takes a turn of its two a second from bulk. */
enum { URGENT_TURN_MS = 500 };

/* per mille of the recipients and of the domains */
static const struct {
    unsigned recipients, domains;
    struct simulation_group_plan plan;
} rows[] = {
    {100,
     1,        {.name = "libero",
      .is_provider = true,
      .latency_ms = 300,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 2,
                          .messages_per_connection = 20,
                          .messages_per_second = 2}}                                           },
    {300,
     100,      {.name = "google",
      .is_provider = true,
      .latency_ms = 250,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 5, .messages_per_connection = 50}}                  },
    {120,
     1,        {.name = "outlook",
      .is_provider = true,
      .latency_ms = 200,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 5, .messages_per_connection = 50}}                    },
    {100,
     150,      {.name = "microsoft-365",
      .is_provider = true,
      .latency_ms = 200,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 5, .messages_per_connection = 50}}                  },
    {80,
     1,        {.name = "yahoo",
      .is_provider = true,
      .latency_ms = 300,
      STORMS,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.messages_per_connection = 20}}                                      },
    {30,
     1,        {.name = "apple",
      .is_provider = true,
      .latency_ms = 300,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 10, .messages_per_connection = 5}}                    },
    {20,
     1,        {.name = "gmx",
      .is_provider = true,
      .latency_ms = 200,
      .lane_limits = {.connections = 4, .start_connections = 2, .messages_per_connection = 20}}},
    {20,
     1,        {.name = "orange",
      .is_provider = true,
      .latency_ms = 250,
      STORMS,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 2, .messages_per_connection = 100}}                   },
    {20,
     1,        {.name = "tiscali",
      .is_provider = true,
      .latency_ms = 400,
      STORMS,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 2,
                          .messages_per_connection = 20,
                          .messages_per_second = 1}}                                           },
    {20,
     1,        {.name = "tim",
      .is_provider = true,
      .latency_ms = 300,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 2,
                          .messages_per_connection = 20,
                          .messages_per_second = 1}}                                           },
    {40,
     1,        {.name = "aruba",
      .is_provider = true,
      .latency_ms = 250,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 3,
                          .messages_per_connection = 30,
                          .messages_per_second = 3}}                                           },
    {5,
     1,        {.name = "hourly",
      .is_provider = true,
      .latency_ms = 250,
      .lane_limits = {DEFAULTS},
      .provider_limits = {.connections = 2,
                          .messages_per_minute = 60,
                          .messages_per_hour = 2000,
                          .messages_per_day = 40000}}                                          },
    {125, 567, {.name = "others", .latency_ms = 400, .lane_limits = {DEFAULTS}}                       },
    {7,
     33,       {.name = "others-greylisting",
      .mood = MOOD_GREYLISTING,
      .latency_ms = 400,
      .lane_limits = {DEFAULTS}}                                                              },
    {7,
     33,       {.name = "others-dead",
      .mood = MOOD_DEAD,
      .dead_ms = 3600000,
      .latency_ms = 400,
      .lane_limits = {DEFAULTS}}                                                              },
    {6,   33,  {.name = "others-storms", STORMS, .latency_ms = 400, .lane_limits = {DEFAULTS}}        },
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Few large domains, many small ones: the k-th is 1/k as large as the first. */
static int add_domains(struct simulation *simulation, uint32_t group, uint32_t n_domains,
                       uint32_t n_recipients)
{
    double total = 0, taken = 0;
    uint32_t n = 0;
    int error = 0;

    for (uint32_t i = 0; i < n_domains; i++)
        total += 1.0 / (i + 10);
    for (uint32_t i = 0; i < n_domains && error == 0; i++) {
        uint32_t until;

        taken += 1.0 / (i + 10);
        until = i + 1 == n_domains ? n_recipients : (uint32_t)(taken / total * n_recipients);
        error = simulation_add(simulation, group, until - n, 3);
        n = until;
    }
    return error;
}

static bool row_is_kept(const struct simulation_group *group, uint32_t n_urgent)
{
    double most = group->plan.mood == MOOD_STORMS ? 1.5 : 1.05;
    bool counts = group->plan.mood == MOOD_STEADY || group->plan.mood == MOOD_STORMS;

    if (group->n_violations || group->n_delivered != group->n_recipients)
        return false;
    if (group->plan.mood == MOOD_STEADY && group->n_deferred * 200 > group->n_recipients)
        return false;
    return !counts || (double)group->finished_ms <=
                          most * group->best_ms + BEGINNING_MS + n_urgent * URGENT_TURN_MS;
}

static bool report_rows(struct simulation *simulation)
{
    bool is_kept = true;

    simulation_find_best(simulation);
    printf("%-20s %9s %6s %9s %9s %6s %9s %9s\n", "receivers", "mail", "sites", "seconds", "best",
           "ratio", "deferred", "exceeded");
    for (uint32_t i = 0; i < simulation->n_groups; i++) {
        const struct simulation_group *group = &simulation->groups[i];
        double ratio = group->best_ms > 0 ? (double)group->finished_ms / group->best_ms : 0;
        bool row = row_is_kept(group, i == 0 ? simulation->n_urgent : 0);

        printf("%-20s %9llu %6u %9lld %9.0f %6.3f %9llu %9llu%s\n", group->plan.name,
               (unsigned long long)group->n_recipients, group->n_sites,
               (long long)group->finished_ms / 1000, group->best_ms / 1000, ratio,
               (unsigned long long)group->n_deferred, (unsigned long long)group->n_violations,
               row ? "" : "  BROKEN");
        is_kept &= row;
    }
    return is_kept;
}

static bool report(struct simulation *simulation, bool is_done)
{
    uint32_t p99_ms = simulation_urgent_p99_ms(simulation);
    double cpu_s = (double)clock() / CLOCKS_PER_SEC;
    bool is_kept = report_rows(simulation) && is_done && simulation->n_expired == 0 &&
                   simulation->n_urgent == simulation->n_urgent_sent && p99_ms <= URGENT_MOST_MS;
    uint64_t n_attempts = 0;
    struct rusage usage;

    for (uint32_t i = 0; i < simulation->n_groups; i++)
        n_attempts += simulation->groups[i].n_attempts;
    getrusage(RUSAGE_SELF, &usage);
    printf("%u urgent messages, all but one in a hundred within %u ms; %.1f s of CPU, "
           "%.2f us an attempt, %ld MB\n%s\n",
           simulation->n_urgent, p99_ms, cpu_s, cpu_s * 1e6 / (double)n_attempts,
           usage.ru_maxrss / 1024, is_kept ? "promises kept" : "PROMISE BROKEN");
    return is_kept;
}

int main(int argc, char **argv)
{
    struct simulation_group_plan plans[N_ROWS];
    struct simulation *simulation;
    uint32_t n_recipients, n_domains;
    bool is_kept;

    if (argc != 4 || secret_start() < 0)
        return 64;
    n_recipients = (uint32_t)strtoul(argv[1], NULL, 10);
    n_domains = (uint32_t)strtoul(argv[2], NULL, 10);
    for (uint32_t i = 0; i < N_ROWS; i++)
        plans[i] = rows[i].plan;
    if (simulation_new(&simulation, plans, N_ROWS, 1, strtoul(argv[3], NULL, 10)) < 0)
        return 71;
    simulation->urgent_every_ms = 10000;
    simulation->urgent_until_ms = 600000 + (int64_t)n_recipients * 3;
    for (uint32_t i = 0; i < N_ROWS; i++) {
        uint32_t domains = rows[i].domains > 1 ? n_domains * rows[i].domains / 1000 : 1;

        if (add_domains(simulation, i, domains ? domains : 1,
                        (uint32_t)((uint64_t)n_recipients * rows[i].recipients / 1000)) < 0)
            return 71;
    }
    is_kept = report(simulation, simulation_run(simulation, INT64_MAX));
    simulation_free(simulation);
    return is_kept ? 0 : 1;
}
