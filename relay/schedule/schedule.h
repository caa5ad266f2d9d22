/* What is due and allowed.  One schedule per loop: the recipients of the sites that this loop owns,
 * ordered by site, class, user and campaign.  Delivery admits recipients, asks schedule_next() what
 * to send, and says what became of it; nothing here sends, stores, looks up or reads a clock.
 * Fairness: sites in turn; within a site transactional mail before bulk; users of a class by
 * deficit round robin; a user's campaigns in turn.  Nothing that is not due is ever looked at.
 * Thread: the owner's.  now_ms is monotonic everywhere. */
#pragma once

#include "relay/schedule/domain.h"
#include "relay/schedule/entry.h"
#include "relay/schedule/pool.h"
#include "relay/schedule/round_robin.h"
#include "relay/schedule/table.h"
#include "relay/schedule/wheel.h"

enum { SCHEDULE_MAX_TRANSACTION = 1000 }; /* recipients */

struct schedule_hooks {
    void *owner;
    /* domain->site is unknown or stale; answered by schedule_route().  Not from within. */
    void (*on_domain_wanted)(void *owner, struct domain *domain);
    /* Its time is over and its site does not let it try once more; the entry is SENDING, the owner
     * must end it. */
    void (*on_expired)(void *owner, struct entry *entry);
    /* Waited delay_ms and nobody told its sender; entry stays where it is. */
    void (*on_delayed)(void *owner, struct entry *entry);
    /* May one more connection be opened now?  False: schedule_permits_came() when it may.  And: one
     * was closed.  NULL: no bound but the sites' own. */
    bool (*take_permit)(void *owner);
    void (*put_permit)(void *owner);
    /* The last question before a message leaves over this lane; false: the hook has suspended the
     * lane or its road (warm-up), and others are tried.  NULL: any may. */
    bool (*may_use)(void *owner, struct lane *lane);
    /* The pool that it leaves from instead of its own, as things are now; see schedule_repool().
     * NULL: its own. */
    uint32_t (*pool_of)(void *owner, const struct entry *entry);
    /* An idle connection of this lane stands in the way of one that is needed elsewhere: it should
     * end soon.  From within only lane_idle_ends() may be called.  NULL: it ends when it ends. */
    void (*end_idle)(void *owner, struct lane *lane);
    /* What a user's share weighs among the others' (1 to 100).  NULL: all the same. */
    uint32_t (*weight_of)(void *owner, uint32_t user_id);
    /* About to be forgotten: free site->owner. */
    void (*on_site_unused)(void *owner, struct site *site);
};

struct schedule {
    struct schedule_hooks hooks;
    struct retry retry;
    int64_t start_ms;      /* second 0 of the wheel */
    int64_t utc_offset_ms; /* UTC less monotonic */
    int64_t delay_ms;      /* 0: no reports of delay */
    bool is_paused, has_no_signer;
    uint8_t clock_epoch;
    struct pool entries, flows, domains;
    struct table flow_table, share_table, site_table, domain_table, provider_table;
    struct egress_plan egress;
    int64_t fresh_ms; /* nothing is known of what was sent before: schedule_forget_paces() */
    struct wheel wheel;
    struct list ready, permit_waiters; /* of turns */
    struct list routing_domains;
    struct list unsigned_flows; /* with ready entries, while there is no signer */
    struct list halts;          /* operators' orders of users and campaigns: halts.h */
    struct table halt_table;
    int64_t halts_looked_ms;
    struct heap waking; /* turns */
    uint32_t n_states[N_ENTRY_STATES];
    uint32_t sweep_at;      /* next entry number the sweep looks at */
    uint32_t site_sweep_at; /* next slot of site_table */
    uint32_t swept_s;       /* second of the last sweep */
};

MUST_USE int schedule_new(struct schedule **out, const struct schedule_hooks *hooks, int64_t now_ms,
                          int64_t utc_ms);
struct schedule *schedule_free(struct schedule *schedule); /* messages are unreferenced; NULL ok */
void schedule_clear(struct schedule *schedule); /* of all entries, and of their messages */

/* ---- what is queued ---- */

struct new_entry {
    struct stored *message; /* a reference is taken over */
    struct slice domain;    /* any case, without a last dot */
    uint32_t n, to_hash, campaign;
    uint32_t pool; /* of our addresses, below POOL_MOST */
    uint16_t attempts;
    uint8_t flags;
    bool is_held;
    bool is_braked;     /* held, as all mail of its user */
    bool is_by_rule;    /* held until due_ms: a rule said so, no quota */
    bool needs_attempt; /* must not expire before one more attempt (after a restart) */
    int64_t due_ms;     /* monotonic; up to now: at once.  Held: until then; 0: until released */
};
MUST_USE int
schedule_admit(struct schedule *schedule, const struct new_entry *entry,
               int64_t now_ms); /* 0 or -ENOMEM, and the reference stays the caller's */

/* ---- what is to be done ---- */

/* Moves what became due; at most max_steps entries, so that a turn stays short.  True: call again
 * soon, there is more. */
bool schedule_advance(struct schedule *schedule, int64_t now_ms, uint32_t max_steps);

struct pick {
    struct lane *lane; /* see lane_take_turn() */
    struct site *site;
    struct stored *message;
    enum message_class message_class;
    bool needs_connection; /* a new one, already counted; else an idle one, now busy */
    uint32_t n_entries;
    struct entry *entries[SCHEDULE_MAX_TRANSACTION]; /* one message's, SENDING */
};
/* The next transaction that may start, or false. */
bool schedule_next(struct schedule *schedule, int64_t now_ms, struct pick *out);
bool schedule_wants_permits(const struct schedule *schedule); /* a site waits for nothing else */
void schedule_put_permit(struct schedule *schedule);          /* lane.c: a connection is gone */

/* When to ask again if nothing else happens, monotonic; INT64_MAX: never. */
int64_t schedule_wake_ms(const struct schedule *schedule);

/* hooks.weight_of says something else now. */
void schedule_reweigh(struct schedule *schedule);

/* What became of a SENDING entry: each of these ends that. */
void schedule_finish(struct schedule *schedule, struct entry *entry); /* gone for good */
void schedule_defer(struct schedule *schedule, struct entry *entry, int64_t due_ms, int64_t now_ms);
void schedule_hold(struct schedule *schedule, struct entry *entry); /* until released */
void schedule_hold_until(struct schedule *schedule, struct entry *entry, int64_t due_ms);
void schedule_return(struct schedule *schedule, struct entry *entry,
                     int64_t now_ms);                                       /* no attempt */
void schedule_note_attempt(struct schedule *schedule, struct entry *entry); /* before defer */

/* hooks.pool_of may say something else of it now: what is due moves at once, the rest when it is.
 */
void schedule_repool(struct schedule *schedule, struct entry *entry, int64_t now_ms);

/* Until when it is held: UTC seconds, ENTRY_UNTIL_RELEASED (which is what is not held is, too) or
 * ENTRY_UNTIL_UNBRAKED. */
uint32_t entry_held_until_s(const struct schedule *schedule, const struct entry *entry);

/* Held until a time that has come.  Nobody looks by itself: whoever holds asks now and then. */
bool entry_is_held_no_more(const struct schedule *schedule, const struct entry *entry,
                           int64_t now_ms);

/* Operators', for entries that are not SENDING: due now; held; taken out (then SENDING). */
void schedule_retry_now(struct schedule *schedule, struct entry *entry, int64_t now_ms);
void schedule_take(struct schedule *schedule, struct entry *entry);

/* Limits and who belongs to which provider were laid out anew: a site or provider made from now on
 * begins as after a start, as if it had just been used up. */
void schedule_forget_paces(struct schedule *schedule, int64_t now_ms);

void schedule_permits_came(struct schedule *schedule);
void schedule_pause(struct schedule *schedule, bool is_paused);
/* Without a signer only mail that was MESSAGE_NOT_SIGNED goes on. */
void schedule_signer(struct schedule *schedule, bool answers);
/* UTC was set: nothing expires until each recipient had one more attempt. */
void schedule_clock_jumped(struct schedule *schedule, int64_t now_ms, int64_t utc_ms);
void schedule_touch(struct schedule *schedule, struct site *site); /* something about it changed */

/* ---- what it says ---- */

struct flow *entry_flow(const struct schedule *schedule,
                        const struct entry *entry); /* NULL: none */
struct domain *entry_domain(const struct schedule *schedule, const struct entry *entry);
bool entry_is_expired(const struct schedule *schedule, const struct entry *entry, int64_t now_ms);

struct why schedule_why_entry(struct schedule *schedule, const struct entry *entry, int64_t now_ms);
/* Of whatever is first in it. */
struct why schedule_why_queue(const struct schedule *schedule, const struct queue *queue,
                              int64_t now_ms);
struct why schedule_why_site(struct schedule *schedule, struct site *site, int64_t now_ms);

/* When the last of what is due now will have left the site, by its limits and by what left lately,
 * after why has passed; -1: nobody knows.  What is deferred or comes later is not counted. */
int64_t schedule_last_ms(const struct site *site, struct why why, int64_t now_ms);
uint32_t entry_campaign(const struct schedule *schedule, const struct entry *entry); /* 0: none */
