#include "relay/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_utc_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

void clock_format_date(int64_t utc_ms, char out[CLOCK_DATE_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm tm;
    long east;

    localtime_r(&seconds, &tm);
    east = tm.tm_gmtoff / 60;
    /* Not strftime(): the names must be English whatever the locale. */
    snprintf(out, CLOCK_DATE_SIZE, "%s, %d %s %04d %02d:%02d:%02d %c%02ld%02ld", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
             east < 0 ? '-' : '+', labs(east) / 60, labs(east) % 60);
}

void clock_format_timestamp(int64_t utc_ms, char out[CLOCK_DATE_SIZE])
{
    time_t seconds = (time_t)(utc_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(out, CLOCK_DATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(utc_ms % 1000));
}
