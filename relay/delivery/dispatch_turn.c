/* The pace counts when a message is said to the receiver, not when it was picked: connecting,
 * looking up and signing take their time, and what came together then leaves in its turn. */
#include "relay/delivery/dispatch_private.h"
#include "relay/schedule/halts.h"

/* A limit that came since the pick may put the turn off by hours, and the peer's patience is
 * minutes: what is further away than this waits in the schedule, without a connection. */
enum { LONGEST_WAIT_MS = 5000 };

static bool stands_still(const struct dispatch *dispatch, int64_t now_ms)
{
    return lane_is_suspended(dispatch->lane, now_ms) ||
           halts_stop(dispatch->shard->schedule, dispatch->user_id, dispatch->campaign, now_ms);
}

/* The turn in the pace of whom it is of counts when it is said, that of its lane when it is known:
 * turns of a lane are this loop's own. */
static int64_t find_turn_ms(const struct dispatch *dispatch, int64_t now_ms)
{
    int64_t of_sender_ms = halts_turn_ms(dispatch->shard->schedule, dispatch->user_id,
                                         dispatch->campaign, dispatch->message_class, now_ms);

    if (dispatch->has_turn)
        return of_sender_ms > dispatch->turn_ms ? of_sender_ms : dispatch->turn_ms;
    if (of_sender_ms == INT64_MAX)
        return INT64_MAX;
    return lane_turn_ms(dispatch->lane, dispatch->message_class, of_sender_ms);
}

static void use_lane_turn(struct dispatch *dispatch, int64_t at_ms)
{
    if (dispatch->has_turn)
        return;
    lane_use_turn(dispatch->lane, dispatch->message_class, at_ms);
    dispatch->turn_ms = at_ms;
    dispatch->has_turn = true;
}

static void use_sender_turn(struct dispatch *dispatch, int64_t now_ms)
{
    halts_use_turn(dispatch->shard->schedule, dispatch->user_id, dispatch->campaign,
                   dispatch->message_class, now_ms);
    dispatch->is_counted = true;
}

enum dispatch_turn dispatch_take_turn(struct dispatch *dispatch)
{
    int64_t now_ms = shard_now_ms(dispatch->shard);
    int64_t latest_ms = now_ms + (dispatch->shard->is_draining ? 0 : LONGEST_WAIT_MS);
    int64_t at_ms = dispatch->is_counted ? now_ms : find_turn_ms(dispatch, now_ms);

    if (at_ms > latest_ms || stands_still(dispatch, now_ms))
        return TURN_NEVER;
    use_lane_turn(dispatch, at_ms);
    if (at_ms <= now_ms) {
        if (!dispatch->is_counted)
            use_sender_turn(dispatch, now_ms);
        return TURN_NOW;
    }
    timer_set(&dispatch->turn, at_ms - now_ms);
    return TURN_LATER;
}

void dispatch_on_turn(struct timer *timer)
{
    dispatch_try_send(CONTAINER_OF(timer, struct dispatch, turn));
}

void dispatch_drop_turn(struct dispatch *dispatch)
{
    timer_cancel(&dispatch->turn);
    if (!dispatch->is_counted)
        halts_drop_turn(dispatch->shard->schedule, dispatch->user_id, dispatch->campaign,
                        dispatch->message_class);
    if (!dispatch->has_turn) {
        lane_drop_turn(dispatch->lane, dispatch->message_class);
        egress_warm_up_give_back(dispatch->warm_use);
    }
    dispatch->has_turn = dispatch->is_counted = true;
}
