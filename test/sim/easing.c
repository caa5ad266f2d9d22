/* Replies of 421 and the way back, in virtual time:
 *     sim_easing SEED
 * Each row is one receiver: storms of 421, a single one now and then, a limit of its own that
 * nobody told us.  Prints at what pace it is used before, meanwhile and afterwards, and ends with 1
 * when the pace after a storm does not come back in the time stated here, when a few words make it
 * collapse, or when a receiver with a limit of its own has to refuse too much. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/schedule/simulation.h"

enum { SECOND_MS = 1000, WINDOW_MS = 20 * SECOND_MS };

#define MINUTES_MS(n) ((int64_t)(n)*60 * SECOND_MS)

#define STRANGER                                                                                   \
    {                                                                                              \
        .connections = 10, .start_connections = 2, .connections_per_minute = 100,                  \
        .messages_per_connection = 100, .messages_per_second = 100                                 \
    }
#define ROUTE                                                                                      \
    {                                                                                              \
        .connections = 20, .start_connections = 20, .eased_per_minute = 60                         \
    }

/* ---- back after a storm ---- */

static const struct storm {
    struct simulation_group_plan plan;
    unsigned within_s;     /* nine tenths of the pace before are reached again */
    unsigned least_tries;  /* in the storm: it is noticed that it is over */
    unsigned most_refused; /* by then: it is not answered with a storm of ours */
} storms[] = {
    {{.name = "two minutes of 421",
      .latency_ms = 250,
      .mood = MOOD_STORMS,
      .storm_every_ms = MINUTES_MS(20),
      .storm_ms = MINUTES_MS(2),
      .lane_limits = STRANGER},
     150, 8,
     150 },
    {{.name = "ten minutes of 421",
      .latency_ms = 250,
      .mood = MOOD_STORMS,
      .storm_every_ms = MINUTES_MS(20),
      .storm_ms = MINUTES_MS(10),
      .lane_limits = STRANGER},
     150, 50,
     200 },
    {{.name = "the same of a route",
      .latency_ms = 20,
      .mood = MOOD_STORMS,
      .storm_every_ms = MINUTES_MS(20),
      .storm_ms = MINUTES_MS(10),
      .lane_limits = ROUTE},
     60,  500,
     2000},
};

static struct simulation *begin(const struct simulation_group_plan *plan, uint32_t n, uint64_t seed)
{
    struct simulation *simulation;

    if (simulation_new(&simulation, plan, 1, 1, seed) < 0 ||
        simulation_add(simulation, 0, n, 3) < 0)
        abort();
    return simulation;
}

static uint64_t delivered_until(struct simulation *simulation, int64_t until_ms)
{
    uint64_t before = simulation->groups[0].n_delivered;

    simulation_run(simulation, until_ms);
    return simulation->groups[0].n_delivered - before;
}

static bool storm(const struct storm *row, uint64_t seed)
{
    const struct simulation_group_plan *plan = &row->plan;
    int64_t begins_ms = plan->storm_every_ms - plan->storm_ms;
    struct simulation *simulation = begin(plan, plan->latency_ms < 100 ? 1500000 : 100000, seed);
    const struct simulation_group *group = &simulation->groups[0];
    uint64_t n_before, n_refused;
    unsigned took_s = 0;
    bool is_kept;

    simulation_run(simulation, begins_ms - WINDOW_MS);
    n_before = delivered_until(simulation, begins_ms);
    n_refused = group->n_deferred;
    simulation_run(simulation, plan->storm_every_ms);
    n_refused = group->n_deferred - n_refused;
    do
        took_s += WINDOW_MS / SECOND_MS;
    while (delivered_until(simulation, simulation->now_ms + WINDOW_MS) * 10 < n_before * 9 &&
           took_s < 3600);
    is_kept =
        took_s <= row->within_s && n_refused >= row->least_tries && n_refused <= row->most_refused;
    printf("%-24s %5.1f/s before, %llu refused meanwhile, nine tenths of it %u s after: %s\n",
           plan->name, (double)n_before * SECOND_MS / WINDOW_MS, (unsigned long long)n_refused,
           took_s, is_kept ? "kept" : "BROKEN");
    simulation_free(simulation);
    return is_kept;
}

/* ---- a word now and then, and a limit of its own ---- */

static const struct steady {
    struct simulation_group_plan plan;
    double least_per_s;      /* over an hour */
    double most_refused_pct; /* of what was tried */
} steadies[] = {
    {{.name = "nothing is said", .latency_ms = 250, .lane_limits = STRANGER},                        34, 0   },
    {{.name = "one 421 a minute",
      .latency_ms = 250,
      .mood = MOOD_STORMS,
      .storm_every_ms = MINUTES_MS(1),
      .storm_ms = 25,
      .lane_limits = STRANGER},
     30,                                                                                                 0.5 },
    {{.name = "the same of a route",
      .latency_ms = 250,
      .mood = MOOD_STORMS,
      .storm_every_ms = MINUTES_MS(1),
      .storm_ms = 25,
      .lane_limits = ROUTE},
     60,                                                                                                 0.5 },
    {{.name = "one in ten is 421",
      .latency_ms = 250,
      .refuses_one_in = 10,
      .lane_limits = STRANGER},
     0.5,                                                                                                12  },
    {{.name = "the same of a route", .latency_ms = 250, .refuses_one_in = 10, .lane_limits = ROUTE},
     1.8,                                                                                                11.5},
    {{.name = "600 a minute in truth",
      .latency_ms = 250,
      .real_per_minute = 600,
      .lane_limits = STRANGER},
     8,                                                                                                  8   },
    {{.name = "60 a minute in truth",
      .latency_ms = 250,
      .real_per_minute = 60,
      .lane_limits = STRANGER},
     0.85,                                                                                               20  },
 /* It is asked every ten seconds whether its minute is over: that is our floor. */
    {{.name = "12 a minute in truth",
      .latency_ms = 250,
      .real_per_minute = 12,
      .lane_limits = STRANGER},
     0.17,                                                                                               40  },
};

static bool steady(const struct steady *row, uint64_t seed)
{
    struct simulation *simulation = begin(&row->plan, 400000, seed);
    const struct simulation_group *group = &simulation->groups[0];
    double per_s, refused_pct;
    bool is_kept;

    simulation_run(simulation, MINUTES_MS(60));
    per_s = (double)group->n_delivered / 3600;
    refused_pct = 100.0 * (double)group->n_deferred / (double)group->n_attempts;
    is_kept = per_s >= row->least_per_s && refused_pct <= row->most_refused_pct;
    printf("%-24s %6.2f/s over an hour, %5.2f %% refused: %s\n", row->plan.name, per_s, refused_pct,
           is_kept ? "kept" : "BROKEN");
    simulation_free(simulation);
    return is_kept;
}

int main(int argc, char **argv)
{
    bool is_kept = true;
    uint64_t seed;

    if (argc != 2 || secret_start() < 0)
        return 64;
    seed = strtoul(argv[1], NULL, 10);
    for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++)
        is_kept &= storm(&storms[i], seed);
    for (size_t i = 0; i < sizeof(steadies) / sizeof(steadies[0]); i++)
        is_kept &= steady(&steadies[i], seed);
    return is_kept ? 0 : 1;
}
