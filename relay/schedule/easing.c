#include "relay/schedule/easing.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/slice.h"

enum {
    SETTLES_MS = 5000,       /* words within this are one */
    STEP_MS = 2000,          /* no two steps back within this: a receiver must see what it brings */
    STEP_SUCCESSES = 4,      /* that a step needs when the pace is not slow anyway */
    FORGOTTEN_MS = 600000,   /* after which a receiver has forgotten, too */
    LEAST_PER_MINUTE = 6,    /* unless the limits say another floor */
    SLOW = 10,               /* so many times the floor is slow: a success doubles it */
    AHEAD_US = 1000000 / 32, /* a turn may be used so much early */
};

static const int64_t thousand_seconds_us = (int64_t)1000 * 1000 * 1000;

/* ---- between which paces ---- */

static uint32_t rate_of(uint32_t n, uint32_t seconds)
{
    uint64_t rate = (uint64_t)n * 1000 / seconds;

    return n && !rate ? 1 : rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

/* The pace that it comes back to: the limits', or what a stranger would get. */
static uint32_t full_rate(const struct site_limits *limits)
{
    uint32_t rate = limits_stricter(rate_of(limits->messages_per_second, 1),
                                    rate_of(limits->messages_per_minute, 60));

    rate = limits_stricter(rate, rate_of(limits->messages_per_hour, 3600));
    rate = limits_stricter(rate, rate_of(limits->messages_per_day, 86400));
    return rate ? rate : rate_of(site_limits_default.messages_per_second, 1);
}

/* No word leads below this; of a narrow limit there is always a half. */
static uint32_t least_rate(const struct site_limits *limits)
{
    uint32_t per_minute = limits->eased_per_minute ? limits->eased_per_minute : LEAST_PER_MINUTE;
    uint32_t least = rate_of(per_minute, 60), half = full_rate(limits) / 2;

    return half > 0 && half < least ? half : least;
}

static uint32_t slow_rate(const struct site_limits *limits)
{
    return least_rate(limits) * SLOW;
}

/* ---- slower ---- */

/* Half of what was in use.  At the first word little may have gone yet, or for a while: then it is
 * half of what is slow. */
static uint32_t rate_in_use(const struct easing *easing, const struct site_limits *limits,
                            uint32_t measured)
{
    uint32_t most = easing->rate ? easing->rate : full_rate(limits);
    uint32_t least = easing->rate ? least_rate(limits) : slow_rate(limits);

    if (measured < least)
        measured = least;
    return measured < most ? measured : most;
}

static int64_t step_us(const struct easing *easing)
{
    return thousand_seconds_us / easing->rate;
}

/* While it is slow, one word among messages that were taken is not about the pace. */
static bool is_one_of_many(struct easing *easing, const struct site_limits *limits)
{
    bool was = easing->rate < slow_rate(limits) && easing->n_taken >= STEP_SUCCESSES;

    easing->n_taken = 0;
    return was;
}

static bool is_said_before(const struct easing *easing, int64_t begun_ms, int64_t now_ms)
{
    return now_ms - easing->cut_ms < SETTLES_MS || begun_ms < easing->cut_ms;
}

bool easing_slow_down(struct easing *easing, const struct site_limits *limits, uint32_t measured,
                      const char *reason, int64_t begun_ms, int64_t now_ms)
{
    uint32_t in_use = rate_in_use(easing, limits, measured), least = least_rate(limits);

    if (easing->rate &&
        (is_said_before(easing, begun_ms, now_ms) || is_one_of_many(easing, limits)))
        return false;
    if (easing->rate == 0)
        easing->since_ms = now_ms;
    if (easing->rate == 0 || easing->has_grown)
        easing->knee = in_use; /* a storm is one event: what was before it counts */
    free(easing->reason);
    easing->reason = reason ? strdup(reason) : NULL;
    easing->rate = in_use / 2 > least ? in_use / 2 : least;
    easing->n_successes = easing->n_taken = 0;
    easing->has_grown = false;
    easing->cut_ms = easing->changed_ms = easing->used_ms = now_ms;
    easing->turn_us = now_ms * 1000 + step_us(easing);
    return true;
}

/* ---- faster ---- */

/* Doubling while it is far below the pace that the last word came at, then by eighths; slowly past
 * that pace, for it may be the receiver's own limit, unless it is a slow one. */
static uint32_t step_of(const struct easing *easing, bool is_slow)
{
    uint32_t rate = easing->rate, near = easing->knee / 8;

    if (rate < easing->knee / 2)
        return rate;
    if (is_slow || rate + near < easing->knee || rate > easing->knee + near)
        return rate / 8 + 1;
    return rate / 64 + 1;
}

void easing_went_well(struct easing *easing, const struct site_limits *limits, int64_t now_ms)
{
    bool is_slow = easing->rate < slow_rate(limits);

    if (easing->rate == 0)
        return;
    easing->n_taken++;
    easing->n_successes++;
    if (easing->n_successes < (is_slow ? 1 : STEP_SUCCESSES) ||
        now_ms - easing->changed_ms < STEP_MS)
        return;
    easing->n_successes = 0;
    easing->has_grown = true;
    easing->changed_ms = now_ms;
    easing->rate += step_of(easing, is_slow);
    if (easing->turn_us > now_ms * 1000) /* its row was laid out at the old pace */
        easing->turn_us = now_ms * 1000;
    if (easing->rate >= full_rate(limits))
        easing_end(easing);
}

void easing_end(struct easing *easing)
{
    free(easing->reason);
    *easing = (struct easing){0};
}

bool easing_stands(const struct easing *easing, int64_t now_ms)
{
    return easing->rate && now_ms - easing->used_ms < FORGOTTEN_MS;
}

/* ---- turns ---- */

int64_t easing_next_ms(const struct easing *easing, uint32_t n_ahead)
{
    if (easing->rate == 0)
        return 0;
    return (easing->turn_us + n_ahead * step_us(easing) - AHEAD_US + 999) / 1000;
}

void easing_pledge(struct easing *easing, int64_t now_ms)
{
    if (easing->rate && easing->turn_us < now_ms * 1000)
        easing->turn_us = now_ms * 1000;
}

void easing_use(struct easing *easing, int64_t at_ms)
{
    if (easing->rate == 0)
        return;
    easing_pledge(easing, at_ms);
    easing->turn_us += step_us(easing);
    easing->used_ms = at_ms;
}
