/* What takes turns in a schedule: a site without provider, or a provider with all its sites.  It is
 * in the ring of those that may be able to act, or among those that wait for a permit, or waits for
 * a time, or for whatever touches it next.  Thread: the owner's of the schedule. */
#pragma once

#include "relay/base/heap.h"
#include "relay/base/list.h"

enum turn_kind { TURN_OF_SITE, TURN_OF_PROVIDER };

struct turn {
    struct list link;      /* in schedule->ready or schedule->permit_waiters */
    struct heap_node wake; /* in schedule->waking */
    uint32_t n_urgent;     /* transactions in a row that went before bulk */
    uint8_t kind;          /* enum turn_kind */
    bool is_ready;         /* in schedule->ready */
};

static inline void turn_init(struct turn *turn, enum turn_kind kind)
{
    *turn = (struct turn){.kind = (uint8_t)kind};
    list_init(&turn->link);
}
