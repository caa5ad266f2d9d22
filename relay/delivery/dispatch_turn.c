/* The pace counts when a message is said to the receiver, not when it was picked: connecting,
 * looking up and signing take their time, and what came together then leaves in its turn. */
#include "relay/delivery/dispatch_private.h"
#include "relay/schedule/halts.h"

/* What an operator set for its user and its campaign, then the receiver's; it counts for both when
 * it leaves. */
static void take_turn(struct dispatch *dispatch, int64_t now_ms)
{
    struct schedule *schedule = dispatch->shard->schedule;
    int64_t of_sender_ms = halts_turn_ms(schedule, dispatch->user_id, dispatch->campaign,
                                         dispatch->message_class, now_ms);

    dispatch->turn_ms = lane_take_turn(dispatch->lane, dispatch->message_class, of_sender_ms);
    halts_use_turn(schedule, dispatch->user_id, dispatch->campaign, dispatch->message_class,
                   dispatch->turn_ms);
}

bool dispatch_takes_turn(struct dispatch *dispatch)
{
    int64_t now_ms = shard_now_ms(dispatch->shard);

    if (!dispatch->has_turn)
        take_turn(dispatch, now_ms);
    dispatch->has_turn = true;
    if (dispatch->turn_ms <= now_ms)
        return true;
    timer_set(&dispatch->turn, dispatch->turn_ms - now_ms);
    return false;
}

void dispatch_on_turn(struct timer *timer)
{
    dispatch_try_send(CONTAINER_OF(timer, struct dispatch, turn));
}

void dispatch_drop_turn(struct dispatch *dispatch)
{
    timer_cancel(&dispatch->turn);
    if (!dispatch->has_turn) {
        lane_drop_turn(dispatch->lane, dispatch->message_class);
        halts_drop_turn(dispatch->shard->schedule, dispatch->user_id, dispatch->campaign,
                        dispatch->message_class);
    }
    dispatch->has_turn = true;
}
