/* How a receiver counts: exactly, over every sliding window; and the least time that our limits
 * leave. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "relay/schedule/simulation.h"

static const uint32_t windows_ms[N_METERS] = {60000, 1000, 60000, 3600000, 86400000};

static int meter_init(struct meter *meter, uint32_t n, uint32_t window_ms)
{
    *meter = (struct meter){.n = n, .window_ms = window_ms};
    if (n == 0)
        return 0;
    meter->last_ms = calloc(n, sizeof(*meter->last_ms));
    return meter->last_ms ? 0 : FAULT(-ENOMEM);
}

int meter_board_init(struct meter_board *board, const struct site_limits *limits)
{
    const uint32_t values[N_METERS] = {
        limits->connections_per_minute, limits->messages_per_second, limits->messages_per_minute,
        limits->messages_per_hour,      limits->messages_per_day,
    };
    int error = 0;

    *board = (struct meter_board){.most_open = limits->connections};
    for (int i = 0; i < N_METERS && error == 0; i++)
        error = meter_init(&board->meters[i], values[i], windows_ms[i]);
    return error;
}

void meter_board_fini(struct meter_board *board)
{
    for (int i = 0; i < N_METERS; i++)
        free(board->meters[i].last_ms);
}

bool meter_is_full(const struct meter *meter, int64_t now_ms)
{
    uint32_t oldest = meter->n ? meter->last_ms[meter->at] : 0;

    return oldest > 0 && now_ms - (oldest - 1) < meter->window_ms;
}

bool meter_count(struct meter *meter, int64_t now_ms)
{
    bool is_full = meter_is_full(meter, now_ms);

    if (meter->n == 0)
        return true;
    meter->last_ms[meter->at] = (uint32_t)now_ms + 1;
    meter->at = (meter->at + 1) % meter->n;
    return !is_full;
}

/* ---- the best possible ---- */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double bulk_share(int which, uint32_t n)
{
    return which == PACE_MESSAGES_PER_SECOND ? n * 0.95 : pace_bulk_share(n);
}

/* Bulk's share of the paces, each by itself. */
static double pace_ms(const struct site_limits *limits, double n_messages, double n_connections)
{
    const uint32_t counts[N_METERS] = {
        limits->connections_per_minute, limits->messages_per_second, limits->messages_per_minute,
        limits->messages_per_hour,      limits->messages_per_day,
    };
    double best = 0;

    for (int i = 0; i < N_METERS; i++) {
        double n = i == PACE_CONNECTIONS_PER_MINUTE ? n_connections : n_messages;

        if (counts[i])
            best = larger(best, n * windows_ms[i] / bulk_share(i, counts[i]));
    }
    return best;
}

/* Bulk's connections are at work all the time; one that is being closed is open, not at work. */
static double connections_ms(uint32_t most, double work_ms, double closing_ms)
{
    return most ? larger(work_ms / pace_bulk_share(most), (work_ms + closing_ms) / most) : 0;
}

static double n_connections_for(const struct simulation_group_plan *plan, double n_messages)
{
    uint32_t most = limits_stricter(plan->provider_limits.messages_per_connection,
                                    plan->lane_limits.messages_per_connection);

    return most ? n_messages / most : 0;
}

/* Only outside its storms; it begins between two of them. */
static double with_storms(const struct simulation_group_plan *plan, double best_ms)
{
    if (plan->mood != MOOD_STORMS || !plan->storm_every_ms)
        return best_ms;
    return best_ms + floor(best_ms / (double)(plan->storm_every_ms - plan->storm_ms)) *
                         (double)plan->storm_ms;
}

static void note_site(struct simulation *simulation, const struct simulated_site *site)
{
    struct simulation_group *group = site->group;
    const struct simulation_group_plan *plan = &group->plan;
    double n = site->n_recipients, n_connections = ceil(n_connections_for(plan, n));
    double n_opened = n_connections < 1 ? 1 : n_connections;
    double work_ms = (n + n_opened * SIMULATION_CONNECT_ANSWERS) * site->latency_ms;
    double closing_ms = n_opened * SIMULATION_QUIT_ANSWERS * site->latency_ms;
    uint32_t n_addresses = simulation->n_addresses;
    double best = pace_ms(&plan->lane_limits, n / n_addresses, n_connections / n_addresses);

    best = larger(best, connections_ms(plan->lane_limits.connections, work_ms / n_addresses,
                                       closing_ms / n_addresses));
    group->work_ms += work_ms;
    group->closing_ms += closing_ms;
    group->best_ms = larger(group->best_ms, with_storms(plan, best));
}

void simulation_find_best(struct simulation *simulation)
{
    for (uint32_t i = 0; i < simulation->n_groups; i++)
        simulation->groups[i].best_ms = simulation->groups[i].work_ms =
            simulation->groups[i].closing_ms = 0;
    for (uint32_t i = 0; i < simulation->n_sites; i++)
        if (simulation->sites[i]->n_recipients > 0)
            note_site(simulation, simulation->sites[i]);
    for (uint32_t i = 0; i < simulation->n_groups; i++) {
        struct simulation_group *group = &simulation->groups[i];
        const struct simulation_group_plan *plan = &group->plan;
        double n = (double)group->n_recipients, best;

        if (!plan->is_provider)
            continue;
        best = pace_ms(&plan->provider_limits, n, n_connections_for(plan, n));
        best = larger(best, connections_ms(plan->provider_limits.connections, group->work_ms,
                                           group->closing_ms));
        group->best_ms = larger(group->best_ms, with_storms(plan, best));
    }
}
