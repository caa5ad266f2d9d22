#include "relay/schedule/retry.h"

enum { SITE_FIRST_WAIT_MS = 20 * 1000, SITE_LONGEST_WAIT_MS = 15 * 60 * 1000 };

static int64_t step_ms(const struct retry *retry, uint32_t n_failures)
{
    static const struct retry by_default = {
        {300000, 900000, 1800000, 3600000, 7200000, 14400000},
        6
    };
    uint32_t at = n_failures ? n_failures - 1 : 0;

    if (retry->n_steps == 0)
        retry = &by_default;
    return retry->steps_ms[at < retry->n_steps ? at : retry->n_steps - 1];
}

/* dice 0 .. 2^32-1 becomes -10 % .. +10 %. */
static int64_t jitter(int64_t wait_ms, uint32_t dice)
{
    int64_t fifth = wait_ms / 5;

    return wait_ms - fifth / 2 + (int64_t)((uint64_t)fifth * dice >> 32);
}

int64_t retry_wait_ms(const struct retry *retry, uint32_t n_attempts, uint32_t dice)
{
    return jitter(step_ms(retry, n_attempts), dice);
}

int64_t retry_site_wait_ms(const struct retry *retry, uint32_t n_failures, uint32_t dice)
{
    uint32_t doublings = n_failures > 7 ? 6 : n_failures ? n_failures - 1 : 0;
    int64_t wait_ms = (int64_t)SITE_FIRST_WAIT_MS << doublings;
    int64_t recipient_ms = step_ms(retry, n_failures);

    if (wait_ms > SITE_LONGEST_WAIT_MS)
        wait_ms = SITE_LONGEST_WAIT_MS;
    return jitter(wait_ms < recipient_ms ? wait_ms : recipient_ms, dice);
}
