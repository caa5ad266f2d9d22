/* A connection that brings no mail. */
#include "relay/schedule/places.h"

struct why lane_begin_test(struct lane *lane, int64_t now_ms)
{
    const struct schedule_hooks *hooks = &lane->site->schedule->hooks;
    struct bound *bounds[N_BOUND_KINDS];
    unsigned n = lane_bounds(lane, bounds);

    for (unsigned i = 0; i < n; i++) {
        struct why why;

        bound_settle(bounds[i], now_ms);
        why = bound_decide(bounds[i], CLASS_TRANSACTIONAL, NEEDS_NEW, now_ms);
        if (why.kind != WHY_NEXT)
            return why;
    }
    if (hooks->take_permit && !hooks->take_permit(hooks->owner))
        return WHY_SIMPLY(WHY_PERMITS);
    lane_pick(lane, CLASS_TRANSACTIONAL, true, now_ms);
    return WHY_SIMPLY(WHY_NEXT);
}
