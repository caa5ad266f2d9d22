/* The second thing that somebody who signs in may have to show: a code of an authenticator program,
 * or one of the recovery codes, each good once.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

enum { RECOVERY_CODES = 10, RECOVERY_CODE_SIZE = 20 };

/* Goes on with then() when the account has no second factor or code is right; answers 401
 * `second_factor_needed` without a code, 401 `wrong_code`, 429 `too_many_tries`. */
void second_factor_check(struct exchange *exchange, struct account account, struct slice code,
                         void *owner, void (*then)(struct exchange *exchange, void *owner));

/* "abcd-efgh-jkmn", and what is kept of it. */
void recovery_code_make(char out[RECOVERY_CODE_SIZE], uint8_t hash[DIGEST_BYTES]);

/* 429 with Retry-After. */
void answer_too_many_tries(struct exchange *exchange, int64_t wait_ms);
