/* When to ask again for something that keeps breaking, and whose mending costs others something:
 * first_ms after the break, then ever twice as long, at most longest_ms; afresh once it was whole
 * for longest_ms.  Times are monotonic milliseconds.  Thread: the owner's; pure, the clock is an
 * argument. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct patience {
    int64_t first_ms, longest_ms; /* the owner's */
    int64_t ask_at_ms;            /* INT64_MAX: it is whole */
    int64_t pause_ms;             /* before the next ask */
    int64_t whole_since_ms;
};

struct patience patience_of(int64_t first_ms, int64_t longest_ms);

/* It is found broken, or whole; harmless when nothing changed. */
void patience_broken(struct patience *patience, int64_t now_ms);
void patience_whole(struct patience *patience, int64_t now_ms);

/* Is it time to ask?  True is taken for asked. */
bool patience_ends(struct patience *patience, int64_t now_ms);
