/* Hours, days and months by the calendar of the process's time zone (setting `timezone`, as TZ).
 * Days of 23 and 25 hours, and midnights that do not exist or come twice, are what the zone says;
 * hours are those of UTC.
 * Thread: any, once tzset() was called; pure but for the zone. */
#pragma once

#include <stdint.h>

enum period_unit { PERIOD_HOUR, PERIOD_DAY, PERIOD_MONTH, N_PERIOD_UNITS };

struct period {
    int64_t starts_utc_ms, ends_utc_ms; /* the end is the next one's start */
};

/* The one that utc_ms lies in. */
struct period period_at(enum period_unit unit, int64_t utc_ms);

const char *period_name(enum period_unit unit); /* "hour", "day", "month" */
