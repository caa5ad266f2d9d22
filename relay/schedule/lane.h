/* An address of ours towards one site: its share of limits, pace and connections there.  A pick
 * names its lane; the connection is bound to the lane's address, greets with its name, and stays
 * with the lane while it is idle.  An address is known here by a number only, which keeps its
 * meaning as long as a lane with it lives.
 * Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/list.h"
#include "relay/schedule/bound.h"
#include "relay/schedule/retry.h"

struct road;
struct schedule;
struct site;

enum { EGRESS_MOST = 16, POOL_MOST = 16 }; /* addresses of ours; pools of them */

/* Which addresses a pool has, and how they share its mail. */
struct egress_plan {
    uint16_t pools[POOL_MOST];     /* bit n: address n is in it; no bit: its mail waits */
    uint32_t weights[EGRESS_MOST]; /* of two that may go, by weight; 0 is 1 */
};

struct lane {
    struct list link; /* in site->lanes */
    struct site *site;
    struct road *road;  /* to the site's provider; NULL when it has none */
    uint32_t egress;    /* number of the address */
    uint32_t n_idle;    /* connections that could take a transaction now */
    uint32_t n_greeted; /* connections that were let in */
    uint32_t n_in_row;  /* transactions on kept connections since the last new one */
    uint64_t service;   /* what it was given, by weight; with a road that one's counts */
    struct bound bound;
    struct list idle;      /* the owner's: its idle connections */
    struct list idle_link; /* in provider->idle_lanes while it has some */
};

/* From now on; until the first call there is address 0, in every pool. */
void schedule_set_egress(struct schedule *schedule, const struct egress_plan *plan);

/* These numbers (bit n: number n) mean other addresses now: what was said of the former ones, and
 * what was used of their paces, is nobody's.  Connections that are open are counted as before. */
void schedule_forget_egress(struct schedule *schedule, uint32_t numbers);

/* The site's lane of that address, found or made; NULL without memory. */
struct lane *site_lane(struct site *site, uint32_t egress);

/* The bounds that a lane's mail passes: its own, its road's, the site's, the provider's. */
unsigned lane_bounds(const struct lane *lane, struct bound *out[N_BOUND_KINDS]);

/* The strictest of all of them; 0: none. */
uint32_t lane_messages_per_connection(const struct lane *lane);

/* An operator's test of the way: a connection for no mail of the queue.  When every limit and pace
 * lets one begin now it is counted as one for a message is (CLASS_TRANSACTIONAL; the pick's and the
 * connection's ends follow as below), and WHY_NEXT; else what it waits for.  Suspensions, rests and
 * failures do not stop it: it is asked for by hand, and shows whether they are over. */
struct why lane_begin_test(struct lane *lane, int64_t now_ms);

/* ---- what became of a pick ---- */

/* Every pick is followed by one of these: its message is about to be said to the receiver, at the
 * moment returned (up to now_ms: at once), which keeps the paces exact however long connecting and
 * signing took; or it will not be. */
int64_t lane_take_turn(struct lane *lane, enum message_class message_class, int64_t now_ms);
void lane_drop_turn(struct lane *lane, enum message_class message_class);

/* The two halves of lane_take_turn(), for who will not wait for a turn that is far, as after a
 * limit that came since the pick. */
int64_t lane_turn_ms(const struct lane *lane, enum message_class message_class, int64_t now_ms);
void lane_use_turn(struct lane *lane, enum message_class message_class, int64_t at_ms);

/* A rule or an operator said so, of anything that its mail passes: also what was picked before is
 * not to be said.  (The day's room of a young address is counted by picks.) */
bool lane_is_suspended(const struct lane *lane, int64_t now_ms);

/* The receiver of a transaction has not answered for long; it did, or the transaction is about to
 * end. */
void lane_falls_silent(struct lane *lane);
void lane_speaks_again(struct lane *lane);

/* A transaction ended.  is_kept: its connection is idle now; else it is being closed. */
void lane_transaction_ended(struct lane *lane, enum message_class message_class, bool is_kept);

/* A message was taken; a reply said slower (421, refused connection), to what was said at
 * begun_ms. */
void lane_went_well(struct lane *lane, int64_t now_ms);
void lane_slow_down(struct lane *lane, const char *reason, int64_t begun_ms, int64_t now_ms);

/* ---- what became of connections ---- */

/* schedule_next() counted a new one as open when it asked for it.  Each of these may make something
 * due; none calls back. */
void lane_greeted(struct lane *lane, int64_t now_ms); /* we were let in */
void lane_idle_ends(struct lane *lane);               /* an idle one takes no further transaction */
void lane_closed(struct lane *lane, bool was_greeted, int64_t now_ms); /* gone, with its permit */
/* An open one tries another host, which takes a turn as a new connection does: when that is.  It is
 * taken unless it comes after latest_ms. */
MUST_USE int64_t lane_next_host(struct lane *lane, enum message_class message_class, int64_t now_ms,
                                int64_t latest_ms);

/* No host of the site could be reached or let us in; why is copied.  Counts only while no other
 * connection to the site stands: one broken among many is not a dead site. */
void lane_unreachable(struct lane *lane, const char *why, const struct retry *retry, uint32_t dice,
                      int64_t now_ms);
