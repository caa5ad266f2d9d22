/* A provider: a named group of sites with limits, pace and suspension of its own, over all its
 * sites and all addresses of ours together; and one road for each address of ours.  All sites of a
 * provider belong to one loop (the owner of its name), so everything is counted in one place.
 * A site without provider bounds itself alone.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/slice.h"
#include "relay/schedule/lane.h"
#include "relay/schedule/turn.h"

/* An address of ours towards a provider: for rules and warm-up that concern just that pair. */
struct road {
    struct bound bound;
    struct provider *provider;
    uint32_t egress;
    uint64_t service; /* what it was given, by weight, over all sites of the provider */
    void *owner;      /* delivery's: what it may send today */
};

struct provider {
    char *name;
    uint64_t hash;
    struct schedule *schedule;
    struct bound bound;
    struct site_limits road_limits;
    struct road *roads[EGRESS_MOST]; /* NULL: not needed so far */
    struct list sites;               /* by site->provider_link */
    struct turn turn;
    /* Queues of sites that may go, in turn; and whose turn it is among the pools. */
    struct list stations[N_CLASSES][POOL_MOST];
    uint32_t pool_at;
    struct list idle_lanes; /* the least recently used first */
    uint32_t n_idle;        /* connections */
    uint32_t n_doubted;     /* connections being opened to sites in doubt */
    void *owner;            /* the table's row, if it likes */
};

struct provider *schedule_provider(struct schedule *schedule,
                                   struct slice name); /* NULL: unknown */

/* Found or made; NULL without memory.  Kept until the schedule ends. */
struct provider *schedule_make_provider(struct schedule *schedule, struct slice name,
                                        const struct site_limits *limits);

/* The site belongs to the provider from now on (NULL: to none). */
void site_set_provider(struct site *site, struct provider *provider);

/* How many connections may be opened at once to sites of it that did not let us in lately: a
 * quarter of its limit, at least one.  Whoever has a domain can name any host below a provider's
 * suffix as its own, and what never answers must not use up what the others need.  0: no bound. */
uint32_t provider_doubt_most(const struct provider *provider);

/* The limits of each address of ours towards it; 0s: none but the sites' own. */
void provider_set_road_limits(struct provider *provider, const struct site_limits *limits);

/* Found or made; NULL without memory. */
struct road *provider_road(struct provider *provider, uint32_t egress);

/* The bound of an address towards a lane's provider, or towards its site when it has none. */
struct bound *lane_road(struct lane *lane);

void schedule_each_provider(struct schedule *schedule,
                            void (*visit)(void *owner, struct provider *provider), void *owner);
