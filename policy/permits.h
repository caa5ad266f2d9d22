/* Budgets that span loops.  The policy thread leases permits to a loop; nothing starts without one,
 * and what is left goes back within a second: at no moment do more things run, or start within one
 * window, than the budget says.
 *   concurrent (window_ms 0)   a permit is held while the thing lasts
 *   rate                       a permit is spent by one start; it comes back window_ms after it
 *   pace (pace_book.h)         a permit is held by what was picked, and spent when it is said
 * A loop keeps a purse per budget; one message at a time, embedded in it, carries both what it
 * wants and what it gives back.  So asking cannot fail and nothing leaks.
 * Thread: a purse belongs to its loop; permits_set_limit() from any. */
#pragma once

#include "policy/policy.h"
#include "relay/base/slice.h"

enum permit_scope {
    PERMIT_OUTBOUND,    /* concurrent: connections to receivers in all; id 0 */
    PERMIT_EGRESS,      /* concurrent: connections from one address of ours; id: permit_id_of() */
    PERMIT_EGRESS_RATE, /* rate: connections begun from one address of ours in a second */
    PERMIT_SENDER,      /* pace: messages of whom an operator throttled; id: permit_id_of_order() */
    N_PERMIT_SCOPES,
};

struct permit_key {
    enum permit_scope scope;
    uint64_t id;
    bool is_bulk; /* of a pace: this purse is for bulk mail */
};

struct order;

uint64_t permit_id_of(struct slice name);
uint64_t permit_id_of_order(const struct order *order); /* of a user or a campaign */
bool permit_scope_is_rate(enum permit_scope scope);

/* This budget's own limit instead of the settings' (0: none); 0 or -ENOMEM. */
MUST_USE int permits_set_limit(struct policy *policy, struct permit_key key, uint32_t limit);

enum { PERMIT_LEASE_MS = 1000 }; /* what a purse holds idle for so long goes back */

struct permit_purse {
    struct task task;
    struct policy *policy;
    struct mailbox *home; /* the loop's */
    struct permit_key key;
    void (*on_change)(struct permit_purse *purse); /* permits came, or the wait for them ended */
    /* the rest is the purse's own; `sent` is the policy thread's while is_away */
    bool is_away, is_closing;
    uint32_t n_idle, n_least; /* at hand; the fewest of them since the period began */
    uint32_t n_wanted, n_unused, n_spent;
    int64_t last_spent_ms, period_ends_ms;
    int64_t again_ms; /* of a pace: nothing came, and nothing will before this */
    struct {
        uint32_t n_wanted, n_unused, n_spent, n_granted;
        int64_t last_spent_ms, give_up_ms, again_ms;
        struct permit_purse *next;
    } sent;
};

/* on_change may be NULL. */
void permit_purse_init(struct permit_purse *purse, struct policy *policy, struct mailbox *home,
                       struct permit_key key, void (*on_change)(struct permit_purse *purse));

/* Takes one permit for a start now.  False: none at hand; they were asked for, and on_change will
 * run within about a second, on a later turn. */
MUST_USE bool permit_purse_take(struct permit_purse *purse, int64_t now_ms);

/* Says that n starts are due, so that they come in one message; takes nothing. */
void permit_purse_want(struct permit_purse *purse, uint32_t n);

/* Of a pace: what took a permit is said now. */
void permit_purse_spend(struct permit_purse *purse, int64_t now_ms);

/* Of a pace: it will not be said.  Concurrent budgets: the thing ended.  Rate budgets: the start
 * did not happen after all. */
void permit_purse_put(struct permit_purse *purse);

/* Call about every 250 ms: what nobody used goes back. */
void permit_purse_tick(struct permit_purse *purse, int64_t now_ms);

/* Everything idle goes back and no more is asked for; things that still run are put back as before.
 * The purse must live, and its home run, until permit_purse_is_settled(). */
void permit_purse_close(struct permit_purse *purse);
bool permit_purse_is_settled(const struct permit_purse *purse);
