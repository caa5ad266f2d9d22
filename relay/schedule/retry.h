/* When a deferred recipient is tried again: the settings' steps, the last repeated, each moved by
 * up to a tenth so that what failed together does not come back as one wave.  Pure: the caller
 * brings the clock's and the dice's numbers.  Thread: any. */
#pragma once

#include <stdint.h>

enum { RETRY_MAX_STEPS = 32 };

struct retry {
    int64_t steps_ms[RETRY_MAX_STEPS];
    uint32_t n_steps; /* 0: 5, 15 and 30 minutes, 1, 2 and 4 hours */
};

/* The wait after the n_attempts-th failure (from 1), moved by a tenth up or down as dice (any
 * number) says.  The same dice, as all recipients of one transaction have it, keeps them together.
 */
int64_t retry_wait_ms(const struct retry *retry, uint32_t n_attempts, uint32_t dice);

/* How long a site that cannot be reached is left alone after its n_failures-th straight failure:
 * 20 s, doubling, at most a quarter of an hour, and never longer than a recipient would wait. */
int64_t retry_site_wait_ms(const struct retry *retry, uint32_t n_failures, uint32_t dice);
