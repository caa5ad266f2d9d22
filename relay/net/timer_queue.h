/* The timers of one loop, nearest first: a pairing heap whose nodes live in the timers, so that
 * setting one allocates nothing.  Order among equals is that of setting.
 * Thread: the loop's; pure. */
#pragma once

#include "relay/net/loop.h"

struct timer_queue {
    struct timer *first; /* the nearest; NULL when empty */
    uint64_t n_set;      /* counts settings, for timer.order */
};

void timer_queue_add(struct timer_queue *queue, struct timer *timer, int64_t due_ms);
void timer_queue_remove(struct timer_queue *queue, struct timer *timer);
