/* What an operator ordered of a user's or a campaign's mail, whatever its destination: to stand
 * still, or to go slower.  Their flows are set aside when their turn comes and nothing of them may
 * go, so that nothing looks at them meanwhile, and taken back when something may.  A schedule
 * counts a pace itself, or takes the turns that its owner leases from whoever counts for several
 * schedules together.
 * Pure: now_ms is monotonic.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/schedule/round_robin.h"

struct halt;
struct schedule;

/* Turns of a pace that several schedules share.  One that was taken is used when the message is
 * said, or put back. */
struct halt_turns {
    const struct halt_turns_owner {
        /* When to try to take one; up to now: there may be one. */
        int64_t (*opens_ms)(const struct halt_turns *turns, enum message_class message_class,
                            int64_t now_ms);
        /* Is one at hand?  Else n are asked for, and opens_ms() soon says something else. */
        bool (*want)(struct halt_turns *turns, enum message_class message_class, uint32_t n);
        void (*take)(struct halt_turns *turns, enum message_class message_class);
        void (*put)(struct halt_turns *turns, enum message_class message_class);
        void (*use)(struct halt_turns *turns, enum message_class message_class);
    } * owner;
};

/* Of a user (campaign 0), of a user's campaign, or of everybody's of that name (user_id 0). */
struct halt_order {
    uint32_t user_id, campaign;
    const char *stop_reason; /* NULL: it does not stand still */
    int64_t stop_until_ms;   /* INT64_MAX: until lifted */
    const char *slow_reason; /* NULL: no limits */
    int64_t slow_until_ms;
    struct site_limits limits; /* messages by time */
    struct halt_turns *turns;  /* who counts them; NULL: this schedule alone */
};

/* This and nothing else holds from now on; what was used of a pace is not forgotten. */
void schedule_halt(struct schedule *schedule, const struct halt_order *order, int64_t now_ms);

/* Nothing of theirs is to be said now, though it was picked before. */
bool halts_stop(const struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                int64_t now_ms);

/* A message of theirs that was picked may be said to the receiver at the moment returned (up to
 * now_ms: at once; INT64_MAX: give it back), and is, at at_ms; or it will not be said. */
int64_t halts_turn_ms(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                      enum message_class message_class, int64_t now_ms);
void halts_use_turn(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                    enum message_class message_class, int64_t at_ms);
void halts_drop_turn(struct schedule *schedule, uint32_t user_id, uint32_t campaign,
                     enum message_class message_class);

/* ---- for the folder ---- */

/* May nothing of this flow go now?  Then it was set aside. */
bool halts_set_aside(struct schedule *schedule, struct flow *flow, int64_t now_ms);
void halts_pick(struct schedule *schedule, const struct flow *flow, int64_t now_ms);

/* Takes back what may go; when that will be next, INT64_MAX: at no time. */
void halts_advance(struct schedule *schedule, int64_t now_ms);
int64_t halts_wake_ms(const struct schedule *schedule);

/* WHY_NEXT: none of these keeps it. */
struct why halts_why(const struct schedule *schedule, const struct flow *flow, int64_t now_ms);
void halts_free(struct schedule *schedule);
