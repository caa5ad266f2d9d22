/* One-time codes of an authenticator program: RFC 6238 with HMAC-SHA-1, 30 seconds, six digits,
 * which is what all of them do.  Pure.  Thread: any. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { TOTP_SECRET_BYTES = 20, TOTP_STEP_S = 30, TOTP_BASE32_SIZE = 33 };

/* The code of a step (seconds since 1970 / 30). */
uint32_t totp_code(struct slice secret, int64_t step);

/* Whether code is that of now, of the step before or the next (a clock may be wrong), and of a step
 * behind after_step: no code is good twice (RFC 6238 5.2).  *step is the one it belongs to. */
bool totp_check(struct slice secret, struct slice code, int64_t utc_ms, int64_t after_step,
                int64_t *step);

/* RFC 4648 6, as programs take it by hand. */
void totp_base32(const uint8_t secret[TOTP_SECRET_BYTES], char out[TOTP_BASE32_SIZE]);
