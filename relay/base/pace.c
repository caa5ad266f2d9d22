#include "relay/base/pace.h"

#include <assert.h>

/* Fractions of the window: a turn may be used so much early; rows are so much longer than they had
 * to be, for what the network delays. */
enum { RUN_AHEAD = 128, IN_HAND = 64 };

/* The row's step is a little longer than window / n, so that n steps less what one may run ahead
 * are the window and what we keep in hand. */
static int64_t run_ahead_us(uint32_t seconds)
{
    return (int64_t)seconds * 1000000 / RUN_AHEAD;
}

static int64_t step_us(uint64_t n, uint32_t seconds)
{
    int64_t row_us = (int64_t)seconds * 1000000 * (IN_HAND + 1) / IN_HAND + run_ahead_us(seconds);

    assert(n > 0);
    return (row_us + (int64_t)n - 1) / (int64_t)n;
}

int64_t pace_next_ms(const struct pace *pace, uint64_t n, uint32_t window_s, uint32_t n_ahead)
{
    if (n == 0 || (pace->turn_us == 0 && n_ahead == 0))
        return 0;
    /* Rounded up: a millisecond early would be one too many. */
    return (pace->turn_us + n_ahead * step_us(n, window_s) - run_ahead_us(window_s) + 999) / 1000;
}

uint32_t pace_room(const struct pace *pace, uint64_t n, uint32_t window_s, uint32_t most,
                   int64_t now_ms)
{
    int64_t now_us = now_ms * 1000, turn_us = pace->turn_us > now_us ? pace->turn_us : now_us;
    int64_t ahead_us = now_us + run_ahead_us(window_s) - turn_us;

    if (n == 0)
        return most;
    if (ahead_us < 0)
        return 0;
    return ahead_us / step_us(n, window_s) < most ? (uint32_t)(ahead_us / step_us(n, window_s)) + 1
                                                  : most;
}

void pace_use(struct pace *pace, uint64_t n, uint32_t window_s, int64_t at_ms)
{
    if (n == 0)
        return;
    pace_catch_up(pace, at_ms);
    pace->turn_us += step_us(n, window_s);
}

void pace_give_back(struct pace *pace, uint64_t n, uint32_t window_s, uint32_t n_back)
{
    if (n)
        pace->turn_us -= n_back * step_us(n, window_s);
}

void pace_start(struct pace *pace, uint64_t n, uint32_t window_s, int64_t fresh_ms)
{
    if (n)
        pace->turn_us = fresh_ms * 1000 + step_us(n, window_s) + run_ahead_us(window_s);
}

void pace_catch_up(struct pace *pace, int64_t now_ms)
{
    if (pace->turn_us < now_ms * 1000)
        pace->turn_us = now_ms * 1000;
}

uint32_t pace_bulk_share(uint32_t n)
{
    uint32_t share = (uint32_t)((uint64_t)n * 95 / 100);

    if (share == n && n > 0)
        share--;
    return share ? share : (n ? 1 : 0);
}
