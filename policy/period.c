#include "policy/period.h"

#include <stdbool.h>
#include <time.h>

enum { HOUR_MS = 3600000, STEP_S = 900, MOST_STEPS = 200 };

static bool is_in_day(time_t at, const struct tm *day)
{
    struct tm there;

    localtime_r(&at, &there);
    return there.tm_mday == day->tm_mday && there.tm_mon == day->tm_mon;
}

/* The first moment of a day, mktime()'s guess mended: a midnight that is left out is no moment of
 * that day, and of one that comes twice the first counts. */
static time_t start_of_day(struct tm day)
{
    time_t at;

    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1;
    at = mktime(&day);      /* and takes the 32nd to the next month's 1st */
    if (day.tm_hour > 12) { /* it went back into the day before */
        day.tm_mday++;
        day.tm_hour = 12;
        day.tm_isdst = -1;
        mktime(&day);
    }
    for (int i = 0; i < MOST_STEPS && !is_in_day(at, &day); i++)
        at += STEP_S;
    for (int i = 0; i < MOST_STEPS && is_in_day(at - 1, &day); i++)
        at -= STEP_S;
    return at;
}

static struct period day_at(struct tm local)
{
    struct tm next = local;

    next.tm_mday++;
    return (struct period){(int64_t)start_of_day(local) * 1000, (int64_t)start_of_day(next) * 1000};
}

static struct period month_at(struct tm local)
{
    struct tm next;

    local.tm_mday = 1;
    next = local;
    next.tm_mon++;
    return (struct period){(int64_t)start_of_day(local) * 1000, (int64_t)start_of_day(next) * 1000};
}

struct period period_at(enum period_unit unit, int64_t utc_ms)
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm local;

    if (unit == PERIOD_HOUR)
        return (struct period){utc_ms - utc_ms % HOUR_MS, utc_ms - utc_ms % HOUR_MS + HOUR_MS};
    localtime_r(&seconds, &local);
    return unit == PERIOD_DAY ? day_at(local) : month_at(local);
}

const char *period_name(enum period_unit unit)
{
    static const char *const names[N_PERIOD_UNITS] = {
        [PERIOD_HOUR] = "hour", [PERIOD_DAY] = "day", [PERIOD_MONTH] = "month"};

    return names[unit];
}
