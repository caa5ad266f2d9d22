/* Two clocks.  Waiting uses the monotonic one, in milliseconds; UTC is only stored and shown.
 * Pure code takes the time as an argument; only owners of threads call these.  Thread: any. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_utc_ms(void); /* since 1970-01-01 00:00 UTC */

enum { CLOCK_DATE_SIZE = 96 };

/* "Sun, 22 Nov 2026 17:25:03 +0100" (RFC 5322, 3.3) in the process's time zone. */
void clock_format_date(int64_t utc_ms, char out[CLOCK_DATE_SIZE]);

/* "2026-11-22T16:25:03.120Z" (RFC 3339). */
void clock_format_timestamp(int64_t utc_ms, char out[CLOCK_DATE_SIZE]);
