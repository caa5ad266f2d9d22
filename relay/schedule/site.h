/* One site: the hosts that take the mail of one or many domains; what bounds our use of them over
 * all addresses of ours (bound.h) and from each of them (lane.h); backing off from dead hosts; and
 * its queues, by class and user (struct share) and by campaign (struct flow).
 * Pure: the clock is an argument.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/heap.h"
#include "relay/base/list.h"
#include "relay/base/slice.h"
#include "relay/schedule/lane.h"
#include "relay/schedule/turn.h"

struct schedule;

/* The oldest of what waits, as looks saw it: figures.h. */
struct site_age {
    uint32_t look;                 /* the last that met any of its entries; 0: none so far */
    int64_t utc_ms, before_utc_ms; /* by that look; by the one before */
};

struct site { /* what a pick looks at stands together */
    struct schedule *schedule;
    struct provider *provider; /* NULL: none */
    struct turn turn; /* its provider's stands for it when it has one; its time is its own */
    struct list queues[N_CLASSES]; /* with ready entries, in turn */
    struct list lanes;
    uint32_t n_ready[N_CLASSES], n_waiting, n_sending, n_held;
    uint32_t n_flows, n_domains; /* that lead here */
    uint32_t n_greeted;          /* connections that were let in */
    uint32_t n_failures;         /* straight failures to reach it */
    uint32_t n_doubted;          /* connections counted in provider->n_doubted */
    bool is_doubted;             /* none of its hosts was reached when it was made */
    int64_t reachable_ms;        /* not tried before this (monotonic) */
    int64_t last_used_ms;
    void *owner;        /* delivery's: hosts, connections */
    struct bound bound; /* over all addresses */

    struct site_limits lane_limits; /* of each address */
    struct list provider_link;
    struct list all_queues;
    int64_t failed_ms; /* the first of n_failures */
    char *trouble;     /* the reply or error that made it so; NULL: none */
    char *name;        /* what identifies it: the sorted MX names, or the next hop */
    uint64_t hash;
    struct site_age age;
};

uint32_t site_n_ready(const struct site *site);
uint32_t site_n_entries(const struct site *site);

/* Nothing queued, nothing open, no order to remember. */
bool site_is_unused(const struct site *site, int64_t now_ms);

/* Orders: bound_suspend(&site->bound, BOUND_BY_ORDER, …), bound_limit() and so on.  A limit that an
 * order sets for the site holds instead of its lanes', too. */

/* An operator says: go on.  site_resume() takes back an order's suspension, too, site_lift() what
 * rules' replies brought, site_try_now() that it was unreachable and replies that said slower. */
void site_resume(struct site *site, int64_t now_ms);
bool site_lift(struct site *site, int64_t now_ms); /* whether there was anything */
void site_try_now(struct site *site);
void site_was_reached(struct site *site); /* forgets that it was not */

/* Its hosts bear a provider's name, and none of them lets us in: see provider_doubt_most(). */
static inline bool site_is_in_doubt(const struct site *site)
{
    return site->n_failures > 0 || site->is_doubted;
}

/* The limits of each address of ours; bound_set_limits(&site->bound, …) sets those of all. */
void site_set_lane_limits(struct site *site, const struct site_limits *limits);

/* ---- the sites of a schedule ---- */

struct site *schedule_site(struct schedule *schedule, struct slice name); /* NULL: unknown */
/* Found or made; NULL without memory.  A new one has these limits for each address, none over all,
 * no provider and no owner. */
struct site *schedule_make_site(struct schedule *schedule, struct slice name,
                                const struct site_limits *limits, int64_t now_ms);

void schedule_each_site(struct schedule *schedule, void (*visit)(void *owner, struct site *site),
                        void *owner);
