/* A trial run: the schedule in virtual time against simulated receivers that count what reaches
 * them.  The same code forecasts an operator's list (`staffetta test shaping`) and is held to its
 * promises in test/sim.  Nothing waits, sends or stores; a million recipients take seconds.
 * Receivers stand in groups, one row of the report each: a provider with all its sites, or sites
 * that have nothing in common but their manners.
 * Thread: the caller's, from simulation_new() to simulation_free(). */
#pragma once

#include "relay/base/heap.h"
#include "relay/schedule/provider.h"
#include "relay/schedule/schedule.h"

enum simulated_mood {
    MOOD_STEADY,
    MOOD_GREYLISTING, /* puts every recipient off at its first attempt */
    MOOD_DEAD,        /* cannot be reached until dead_ms */
    MOOD_STORMS,      /* answers 421 for storm_ms of every storm_every_ms */
};

struct simulation_group_plan {
    const char *name;
    bool is_provider;
    struct site_limits provider_limits; /* ours, over all its sites and our addresses */
    struct site_limits lane_limits;     /* ours, of each address towards each site */
    struct site_limits road_limits;     /* ours, of each address towards the provider */
    uint32_t real_per_minute;           /* messages that it takes in truth; 0: as many as we send */
    uint32_t refuses_one_in;            /* answers 421, at random; 0: none */
    enum simulated_mood mood;
    uint32_t latency_ms; /* of one answer */
    int64_t dead_ms, storm_every_ms, storm_ms;
};

/* At most n of something within a window, as a receiver counts: every sliding window. */
struct meter {
    uint32_t n, at, window_ms;
    uint32_t *last_ms; /* a ring: when the last n came, plus 1 */
};

enum { N_METERS = N_SITE_PACES };

struct meter_board {
    struct meter meters[N_METERS];
    uint32_t most_open, n_open;
};

struct simulation_group {
    struct simulation_group_plan plan;
    struct provider *provider; /* NULL: none */
    struct meter_board board;
    struct meter real;
    uint32_t n_sites;
    /* the report */
    uint64_t n_recipients, n_delivered, n_attempts, n_deferred, n_violations;
    int64_t finished_ms;        /* last delivery */
    double work_ms, closing_ms; /* of one connection for all of it */
    double best_ms;             /* nobody could be faster within our limits */
};

struct simulated_site {
    struct simulation_group *group;
    struct site *site; /* NULL: forgotten while nothing was to be done there */
    uint32_t number;
    enum simulated_mood mood;
    uint32_t latency_ms, n_recipients;
    struct meter_board boards[EGRESS_MOST];
};

struct simulation {
    struct schedule *schedule;
    int64_t now_ms;
    uint64_t dice;
    struct simulation_group *groups;
    uint32_t n_groups;
    struct simulated_site **sites; /* by number: the domain's name ends in it */
    uint32_t n_sites, capacity_sites;
    uint32_t n_addresses;
    struct heap moments; /* of connections: when something happens to them */
    uint64_t next_id, n_expired;
    uint32_t *urgent_ms; /* how long each urgent message took */
    uint32_t n_urgent, n_urgent_sent;
    int64_t urgent_every_ms, urgent_until_ms; /* one to the first site; 0: none */
    struct pick pick;
    /* Nothing may leave at this moment any more; for tests.  NULL: none. */
    void (*on_quiet)(void *owner, struct simulation *simulation);
    void *owner;
};

/* n_addresses: of ours, all in one pool.  0 or -ENOMEM. */
MUST_USE int simulation_new(struct simulation **out, const struct simulation_group_plan *groups,
                            uint32_t n_groups, uint32_t n_addresses, uint64_t seed);
struct simulation *simulation_free(struct simulation *simulation); /* NULL ok; returns NULL */

/* A site of the group with one domain, and n bulk recipients for it, one a message, in turn of
 * n_users users.  0 or -ENOMEM. */
MUST_USE int simulation_add(struct simulation *simulation, uint32_t group, uint32_t n_recipients,
                            uint32_t n_users);

/* Until everything is delivered or most_ms of virtual time are over; true: everything was. */
bool simulation_run(struct simulation *simulation, int64_t most_ms);

/* Fills best_ms of each group. */
void simulation_find_best(struct simulation *simulation);

/* The slowest urgent message but for one in a hundred. */
uint32_t simulation_urgent_p99_ms(struct simulation *simulation);

/* ---- for the files of the simulation ---- */

uint32_t simulation_dice(struct simulation *simulation); /* any 32-bit number */

/* What a new connection waits for before its first message, and at its end. */
enum { SIMULATION_CONNECT_ANSWERS = 3, SIMULATION_QUIT_ANSWERS = 1 };

static const int64_t simulation_utc_start_ms = 1700000000000;

void simulation_take_off(struct simulation *simulation, const struct pick *pick);
void simulation_come_to(struct simulation *simulation, struct heap_node *node); /* its moment */
void simulation_end_idle(void *owner, struct lane *lane);
void simulation_free_connection(struct heap_node *node);

int meter_board_init(struct meter_board *board, const struct site_limits *limits);
void meter_board_fini(struct meter_board *board);
bool meter_count(struct meter *meter, int64_t now_ms);         /* false: one too many */
bool meter_is_full(const struct meter *meter, int64_t now_ms); /* the next would be */
