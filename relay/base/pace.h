/* A pace: "at most n in any window of so many seconds", exactly: n+1 never lie within one window,
 * wherever it begins, because each one waits for its turn in a steady row, and may run ahead of it
 * by a 128th of the window at most.  Pure: the clock is an argument (milliseconds, monotonic).
 * Thread: the owner's. */
#pragma once

#include <stdint.h>

struct pace {
    int64_t turn_us; /* when the next one has its turn in the steady row */
};

/* When the next is allowed after n_ahead others that have not used theirs yet, in milliseconds; a
 * value up to now_ms: at once. */
int64_t pace_next_ms(const struct pace *pace, uint64_t n, uint32_t window_s, uint32_t n_ahead);
void pace_use(struct pace *pace, uint64_t n, uint32_t window_s, int64_t at_ms);

/* How many are allowed at once, up to most; and: so many uses did not happen after all. */
uint32_t pace_room(const struct pace *pace, uint64_t n, uint32_t window_s, uint32_t most,
                   int64_t now_ms);
void pace_give_back(struct pace *pace, uint64_t n, uint32_t window_s, uint32_t n_back);

/* As if it had just been used as fast as it may be: nobody knows what went before. */
void pace_start(struct pace *pace, uint64_t n, uint32_t window_s, int64_t fresh_ms);

/* What it did not use until now is not saved up. */
void pace_catch_up(struct pace *pace, int64_t now_ms);

/* What bulk may use of n: 95 %, one less than n at most, but at least 1 of them, or nothing would
 * ever leave. */
uint32_t pace_bulk_share(uint32_t n);
