/* What becomes of a simulated connection: opened, spoken to, answered, idle, closed. */
#include <stdlib.h>

#include "relay/schedule/simulation.h"

enum {
    IDLE_MS = 10000,
    JITTER_MS = 10, /* the network's: messages arrive up to this later than they left */
};

enum moment { OPENED, SPOKEN, ANSWERED, IDLE_OVER, CLOSED };

struct simulated_connection {
    struct heap_node node;
    struct list idle_link;
    struct simulated_site *site;
    struct lane *lane;
    enum moment moment;
    enum message_class message_class;
    bool is_greeted;
    uint32_t n_messages, n_entries;
    int64_t said_ms;          /* its message */
    struct entry *entries[1]; /* one recipient a message */
};

static void at(struct simulation *simulation, struct simulated_connection *connection,
               enum moment moment, int64_t at_ms)
{
    connection->moment = moment;
    if (heap_set(&simulation->moments, &connection->node, at_ms) < 0)
        abort(); /* a trial run without memory has no result */
}

void simulation_end_idle(void *owner, struct lane *lane)
{
    struct simulated_connection *connection =
        CONTAINER_OF(lane->idle.next, struct simulated_connection, idle_link);
    struct simulation *simulation = owner;

    list_remove(&connection->idle_link);
    lane_idle_ends(lane);
    at(simulation, connection, CLOSED, simulation->now_ms + connection->site->latency_ms);
}

void simulation_free_connection(struct heap_node *node)
{
    free(CONTAINER_OF(node, struct simulated_connection, node));
}

/* ---- a connection's life ---- */

static void count_connection(struct simulated_connection *connection, int64_t now_ms)
{
    struct simulation_group *group = connection->site->group;
    struct meter_board *boards[2] = {&connection->site->boards[connection->lane->egress],
                                     &group->board};

    for (int i = 0; i < 2; i++) {
        boards[i]->n_open++;
        if (boards[i]->most_open && boards[i]->n_open > boards[i]->most_open)
            group->n_violations++;
        if (!meter_count(&boards[i]->meters[PACE_CONNECTIONS_PER_MINUTE], now_ms))
            group->n_violations++;
    }
}

static void count_message(struct simulated_connection *connection, int64_t now_ms)
{
    struct simulation_group *group = connection->site->group;
    struct meter_board *boards[2] = {&connection->site->boards[connection->lane->egress],
                                     &group->board};

    for (int i = 0; i < 2; i++)
        for (int which = PACE_MESSAGES_PER_SECOND; which < N_METERS; which++)
            if (!meter_count(&boards[i]->meters[which], now_ms))
                group->n_violations++;
}

static void count_closed(struct simulated_connection *connection)
{
    connection->site->boards[connection->lane->egress].n_open--;
    connection->site->group->board.n_open--;
}

static void speak(struct simulation *simulation, struct simulated_connection *connection)
{
    int64_t at_ms = lane_take_turn(connection->lane, connection->message_class, simulation->now_ms);

    connection->said_ms = at_ms;
    at(simulation, connection, SPOKEN, at_ms + simulation_dice(simulation) % (JITTER_MS + 1));
}

void simulation_take_off(struct simulation *simulation, const struct pick *pick)
{
    struct simulated_site *site = pick->site->owner;
    struct simulated_connection *connection;

    if (pick->needs_connection) {
        connection = calloc(1, sizeof(*connection));
        if (!connection)
            abort(); /* a trial run without memory has no result */
        list_init(&connection->idle_link);
        connection->site = site;
        connection->lane = pick->lane;
        count_connection(connection, simulation->now_ms);
    } else {
        connection = CONTAINER_OF(pick->lane->idle.next, struct simulated_connection, idle_link);
        list_remove(&connection->idle_link);
    }
    connection->message_class = pick->message_class;
    connection->n_entries = pick->n_entries;
    connection->entries[0] = pick->entries[0];
    if (pick->needs_connection)
        at(simulation, connection, OPENED,
           simulation->now_ms + (int64_t)SIMULATION_CONNECT_ANSWERS * site->latency_ms);
    else
        speak(simulation, connection);
}

static void close_now(struct simulation *simulation, struct simulated_connection *connection)
{
    heap_remove(&simulation->moments, &connection->node);
    count_closed(connection);
    lane_closed(connection->lane, connection->is_greeted, simulation->now_ms);
    free(connection);
}

static void defer(struct simulation *simulation, struct entry *entry)
{
    uint32_t dice = simulation_dice(simulation);
    int64_t wait_ms;

    schedule_note_attempt(simulation->schedule, entry);
    wait_ms = retry_wait_ms(&simulation->schedule->retry, entry->attempts, dice);
    schedule_defer(simulation->schedule, entry, simulation->now_ms + wait_ms, simulation->now_ms);
}

static void deliver(struct simulation *simulation, struct simulation_group *group,
                    struct entry *entry)
{
    int64_t took_ms = simulation_utc_start_ms + simulation->now_ms - entry->message->arrived_utc_ms;

    if (entry->message->class == CLASS_TRANSACTIONAL) {
        simulation->urgent_ms[simulation->n_urgent++] = (uint32_t)took_ms;
    } else {
        group->finished_ms = simulation->now_ms;
        group->n_delivered++;
    }
    schedule_finish(simulation->schedule, entry);
}

static void fail_to_open(struct simulation *simulation, struct simulated_connection *connection)
{
    struct lane *lane = connection->lane;

    defer(simulation, connection->entries[0]);
    connection->site->group->n_deferred++;
    lane_drop_turn(lane, connection->message_class);
    lane_transaction_ended(lane, connection->message_class, false);
    close_now(simulation, connection);
    lane_unreachable(lane, "connection refused", &simulation->schedule->retry,
                     simulation_dice(simulation), simulation->now_ms);
}

static bool is_storm(const struct simulated_site *site, int64_t now_ms)
{
    const struct simulation_group_plan *plan = &site->group->plan;

    return site->mood == MOOD_STORMS && plan->storm_every_ms &&
           now_ms % plan->storm_every_ms >= plan->storm_every_ms - plan->storm_ms;
}

enum answer { TAKEN, LATER, SLOWER };

static enum answer answer_of(struct simulation *simulation, struct simulated_connection *connection)
{
    struct simulated_site *site = connection->site;
    const struct entry *entry = connection->entries[0];
    uint32_t one_in = site->group->plan.refuses_one_in;

    if (is_storm(site, simulation->now_ms) ||
        meter_is_full(&site->group->real, simulation->now_ms) ||
        (one_in && simulation_dice(simulation) % one_in == 0))
        return SLOWER;
    meter_count(&site->group->real, simulation->now_ms);
    return site->mood == MOOD_GREYLISTING && entry->attempts == 0 ? LATER : TAKEN;
}

static void end_transaction(struct simulation *simulation, struct simulated_connection *connection,
                            bool is_closed)
{
    struct lane *lane = connection->lane;
    uint32_t most = lane_messages_per_connection(lane);
    bool is_kept = !is_closed && (most == 0 || connection->n_messages < most);

    connection->n_entries = 0;
    if (is_kept) {
        list_prepend(&lane->idle, &connection->idle_link);
        at(simulation, connection, IDLE_OVER, simulation->now_ms + IDLE_MS);
    }
    lane_transaction_ended(lane, connection->message_class, is_kept);
    if (is_closed)
        close_now(simulation, connection);
    else if (!is_kept)
        at(simulation, connection, CLOSED, simulation->now_ms + connection->site->latency_ms);
}

static void on_answer(struct simulation *simulation, struct simulated_connection *connection)
{
    struct simulation_group *group = connection->site->group;
    enum answer answer = answer_of(simulation, connection);

    group->n_attempts++;
    connection->n_messages++;
    if (answer == TAKEN) {
        deliver(simulation, group, connection->entries[0]);
        lane_went_well(connection->lane, simulation->now_ms);
    } else {
        group->n_deferred++;
        defer(simulation, connection->entries[0]);
    }
    if (answer == SLOWER)
        lane_slow_down(connection->lane, "421 4.7.0 slow down", connection->said_ms,
                       simulation->now_ms);
    end_transaction(simulation, connection, is_storm(connection->site, simulation->now_ms));
}

void simulation_come_to(struct simulation *simulation, struct heap_node *node)
{
    struct simulated_connection *connection = CONTAINER_OF(node, struct simulated_connection, node);
    const struct simulated_site *site = connection->site;

    switch (connection->moment) {
    case OPENED:
        if (site->mood == MOOD_DEAD && simulation->now_ms < site->group->plan.dead_ms) {
            fail_to_open(simulation, connection);
            break;
        }
        connection->is_greeted = true;
        lane_greeted(connection->lane, simulation->now_ms);
        speak(simulation, connection);
        break;
    case SPOKEN:
        count_message(connection, simulation->now_ms);
        at(simulation, connection, ANSWERED, simulation->now_ms + site->latency_ms);
        break;
    case ANSWERED:
        on_answer(simulation, connection);
        break;
    case IDLE_OVER:
        list_remove(&connection->idle_link);
        lane_idle_ends(connection->lane);
        at(simulation, connection, CLOSED, simulation->now_ms + site->latency_ms);
        break;
    case CLOSED:
        close_now(simulation, connection);
        break;
    }
}
