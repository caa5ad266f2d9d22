/* One site: the hosts that take the mail of one or many domains, and everything that bounds our use
 * of them: limits, pace, slow start, backing off from a dead host, suspension; and its queues, by
 * class and user (struct share) and by campaign (struct flow).
 * Pure: the clock is an argument.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/heap.h"
#include "relay/base/list.h"
#include "relay/base/slice.h"
#include "relay/schedule/limits.h"
#include "relay/schedule/retry.h"
#include "relay/schedule/why.h"

struct schedule;

struct site {
    char *name; /* what identifies it: the sorted MX names, or the next hop */
    uint64_t hash;
    struct schedule *schedule;
    struct site_limits limits;
    struct site_paces paces;

    struct list shares[N_CLASSES]; /* with ready entries, in the round robin's order */
    uint32_t n_ready[N_CLASSES], n_waiting, n_sending, n_held;
    uint32_t n_flows, n_domains; /* that lead here */

    uint32_t n_open;            /* connections, also those being opened or closed */
    uint32_t n_greeted;         /* of those: let in by the site */
    uint32_t n_idle;            /* those that could take a transaction now */
    uint32_t n_busy[N_CLASSES]; /* transactions; new connections are opened for one */
    uint32_t window;            /* slow start: transactions allowed at once */

    uint32_t n_failures;  /* straight failures to reach it */
    int64_t reachable_ms; /* not tried before this (monotonic) */
    char *trouble;        /* the reply or error that made it so; NULL: none */

    int64_t suspended_until_ms; /* 0: not suspended; INT64_MAX: until resumed */
    char *suspended_because;

    struct list ready_link; /* in the schedule's ring of sites that may act */
    struct heap_node wake;  /* in the schedule's heap of sites that wait for a time */
    int64_t last_used_ms;
    void *owner; /* delivery's: hosts, connections */
};

uint32_t site_n_ready(const struct site *site);
uint32_t site_n_busy(const struct site *site);
uint32_t site_n_entries(const struct site *site);

/* Nothing queued, nothing open, no order to remember. */
bool site_is_unused(const struct site *site);

/* May a transaction of this class start now?  WHY_NEXT: yes, on an idle connection when there is
 * one, else on a new one.  Looks at everything but the number of ready entries and permits. */
struct why site_decide(const struct site *site, enum message_class message_class, int64_t now_ms);

/* What became of connections.  schedule_next() counted a new one as open when it asked for it.
 * Each of these may make something due; none calls back. */
void site_greeted(struct site *site);   /* it let us in */
void site_idle_ends(struct site *site); /* an idle one takes no further transaction */
void site_closed(struct site *site, bool was_greeted, int64_t now_ms); /* gone, with its permit */
void site_next_host(struct site *site, enum message_class message_class, int64_t now_ms);

/* No host of it could be reached or let us in; why is copied.  Counts only while no other
 * connection stands: one broken among many is not a dead site. */
void site_unreachable(struct site *site, const char *why, const struct retry *retry, uint32_t dice,
                      int64_t now_ms);

/* A transaction ended.  is_kept: its connection is idle now; else it is being closed. */
void site_transaction_ended(struct site *site, enum message_class message_class, bool is_kept);

/* The slow start's two pedals: a message was taken; it said slower (421, refused connection). */
void site_went_well(struct site *site);
void site_slow_down(struct site *site);

/* until_ms: monotonic, INT64_MAX: until resumed. */
void site_suspend(struct site *site, const char *reason, int64_t until_ms);
void site_resume(struct site *site);  /* also forgets that it was unreachable */
void site_try_now(struct site *site); /* forgets that it was unreachable, not a suspension */
void site_set_limits(struct site *site, const struct site_limits *limits);

/* ---- the sites of a schedule ---- */

struct site *schedule_site(struct schedule *schedule, struct slice name); /* NULL: unknown */
/* Found or made; NULL without memory.  A new one has limits and no owner. */
struct site *schedule_make_site(struct schedule *schedule, struct slice name,
                                const struct site_limits *limits, int64_t now_ms);

void schedule_each_site(struct schedule *schedule, void (*visit)(void *owner, struct site *site),
                        void *owner);
