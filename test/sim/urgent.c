/* A password reset behind a newsletter:
 *     sim_urgent RECIPIENTS SEED
 * All of the bulk waits for one site of two connections; every ten seconds for an hour somebody
 * else sends one urgent message there.  Ends with 1 unless 99 of 100 of those arrive within 5 s,
 * nothing exceeds a limit, and bulk goes on meanwhile at nine tenths of its pace at least. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/schedule/simulation.h"

enum { MOST_MS = 5000, RUN_MS = 3600000 };

int main(int argc, char **argv)
{
    struct simulation_group_plan plan = {
        .name = "one",
        .latency_ms = 300,
        .lane_limits = {.connections = 2, .start_connections = 2, .messages_per_connection = 50},
    };
    struct simulation *simulation;
    uint32_t p99_ms, least;
    bool is_kept;

    if (argc != 3 || secret_start() < 0)
        return 64;
    if (simulation_new(&simulation, &plan, 1, 1, strtoul(argv[2], NULL, 10)) < 0 ||
        simulation_add(simulation, 0, (uint32_t)strtoul(argv[1], NULL, 10), 100) < 0)
        return 71;
    simulation->urgent_every_ms = 10000;
    simulation->urgent_until_ms = RUN_MS;
    simulation_run(simulation, RUN_MS);
    p99_ms = simulation_urgent_p99_ms(simulation);
    /* One connection is bulk's, 50 messages and 4 answers around them. */
    least = RUN_MS / 300 * 50 / 54 / 10 * 9;
    is_kept = p99_ms <= MOST_MS && simulation->n_urgent + 2 >= simulation->n_urgent_sent &&
              simulation->groups[0].n_violations == 0 && simulation->groups[0].n_delivered >= least;
    printf("%u urgent messages, all but one in a hundred within %u ms; %llu of bulk in the hour, "
           "at least %u; limits exceeded %llu: %s\n",
           simulation->n_urgent, p99_ms, (unsigned long long)simulation->groups[0].n_delivered,
           least, (unsigned long long)simulation->groups[0].n_violations,
           is_kept ? "promises kept" : "PROMISE BROKEN");
    simulation_free(simulation);
    return is_kept ? 0 : 1;
}
