#include "relay/schedule/fetch.h"

#include "relay/schedule/schedule.h"
#include "relay/schedule/site.h"

enum { FETCH_BYTES = 320 }; /* of a site, of a lane: what a decision reads */

void fetch_next_turns(const struct schedule *schedule)
{
    const struct list *next = schedule->ready.next;
    const struct turn *turn = CONTAINER_OF(next, struct turn, link);

    if (next == &schedule->ready)
        return;
    for (int line = 0; line < FETCH_BYTES; line += 64)
        __builtin_prefetch((const char *)next->next + line);
    if (turn->kind == TURN_OF_SITE) {
        const struct site *site = CONTAINER_OF(turn, struct site, turn);
        const struct list *lane = site->lanes.next, *queue = site->queues[CLASS_BULK].next;

        __builtin_prefetch(queue);
        for (int line = 0; line < FETCH_BYTES; line += 64)
            __builtin_prefetch((const char *)lane + line);
    }
}
