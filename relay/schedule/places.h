/* Where an entry is, by its state, and the counts that follow it.  Private to this folder.
 *   UNROUTED  in its domain's list        READY  in its flow        WAITING  in the wheel
 *   SENDING and HELD are in no list
 * An entry without a flow (ENTRY_UNBOUND) keeps its campaign in the field for the flow's number;
 * it gets a flow when it first becomes ready.  Thread: the schedule's owner. */
#pragma once

#include "relay/schedule/provider.h"
#include "relay/schedule/schedule.h"

/* Out of its list, with its state's counts; it must be placed again (or freed) at once. */
void place_none(struct schedule *schedule, struct entry *entry);

/* The pool that it leaves from. */
static inline uint32_t entry_pool(const struct schedule *schedule, const struct entry *entry)
{
    const struct schedule_hooks *hooks = &schedule->hooks;

    return hooks->pool_of ? hooks->pool_of(hooks->owner, entry) : entry->pool;
}

/* To its domain's site as that is now; UNROUTED when there is none.  Without memory for a flow it
 * waits a second in the wheel. */
void place_ready(struct schedule *schedule, struct entry *entry, bool at_front, int64_t now_ms);
void place_waiting(struct schedule *schedule, struct entry *entry, int64_t due_ms);
void place_apart(struct schedule *schedule, struct entry *entry, enum entry_state state);

/* Gone: its flow, its domain and its message are released. */
void place_free(struct schedule *schedule, struct entry *entry);

/* Tells the owner, once, that the domain must be looked up. */
void domain_want(struct schedule *schedule, struct domain *domain);
void site_forget(struct schedule *schedule, struct site *site);
void schedule_place_later(struct schedule *schedule, struct entry *entry, int64_t due_ms,
                          int64_t now_ms);

struct domain *domain_make(struct schedule *schedule, struct slice name); /* NULL: no memory */
void domain_release(struct schedule *schedule, struct domain *domain);    /* one entry less */

/* Something about it changed: its sites are looked at again. */
void bound_touch(struct bound *bound);
uint64_t bound_hash(const struct bound *bound); /* of its name */
const struct schedule *bound_schedule(const struct bound *bound);

struct decision {
    struct why why;         /* WHY_NEXT: it may, on this lane: */
    struct lane *lane;      /* over an idle connection of that when there is one */
    bool is_beyond_site;    /* else: only what it shares with other sites stands in its way */
    bool is_partly_beyond;  /* on one lane that, on another its own */
    bool wants_idle_closed; /* and that only because of idle connections elsewhere */
    int64_t wake_ms;        /* else: when to look again at the latest; -1: at no time */
    uint64_t least_service; /* it may: who was given less than this has rested (lane_serve()) */
};

/* Addresses that may go share by weight.  One that has a connection to spare goes before the others
 * until it is LANE_MOST_AHEAD transactions ahead of its share, and who rested is behind it by
 * LANE_MOST_BEHIND at most, both of the lightest of them: so much a share may be wrong, at a
 * provider over all its sites together. */
enum { LANE_MOST_AHEAD = 4, LANE_MOST_BEHIND = 8 };
uint64_t lane_service(const struct lane *lane);
uint64_t lane_service_step(const struct lane *lane); /* what one transaction adds */
void lane_serve(struct lane *lane, uint64_t least_service);

/* May a transaction of this class and pool start now?  Looks at everything but the number of ready
 * entries and permits. */
struct decision site_decide(struct site *site, enum message_class message_class, uint32_t pool,
                            int64_t now_ms);
/* The same for what concerns all sites of the provider, should there be a connection. */
struct why provider_decide(struct provider *provider, enum message_class message_class,
                           uint32_t pool, int64_t now_ms);
/* An idle connection that a new one of the site must wait for, on the lane wanted when that is
 * known; NULL: none, or one is ending. */
struct lane *site_idle_elsewhere(struct site *site, const struct lane *wanted);
bool site_has_idle(const struct site *site);
void site_doubt_opens(struct site *site); /* a connection, maybe to one in doubt */
void site_doubt_closes(struct site *site, uint32_t n);
void provider_touch(struct provider *provider);
void turn_wake(struct schedule *schedule, struct turn *turn);
void lane_pick(struct lane *lane, enum message_class message_class, bool needs_connection,
               int64_t now_ms);
void lane_free(struct lane *lane);

/* How many transactions a lane of the site begins with. */
static inline uint32_t lane_start_window(const struct site *site)
{
    return site->lane_limits.start_connections ? site->lane_limits.start_connections : 1;
}

void lane_find_road(struct lane *lane); /* NULL without memory or provider */
uint32_t lane_recipients_per_transaction(const struct lane *lane);
void site_limit_lanes(struct site *site);
struct site_limits site_limits_of_lanes(const struct site *site);
void provider_free(struct provider *provider);
void schedule_touch_all(struct schedule *schedule);

static inline struct site *entry_site(const struct schedule *schedule, const struct entry *entry)
{
    struct flow *flow = entry_flow(schedule, entry);

    return flow ? flow->share->site : NULL;
}
