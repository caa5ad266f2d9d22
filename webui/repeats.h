/* POST requests with an Idempotency-Key: who did not hear the answer may ask again, and what was
 * done is not done twice.  Kept in memory for a day, a bounded number and of bounded size; a
 * restart forgets them, as it does away with the connection that was waited on.  An answer that
 * holds a secret (a generated password, a token) is not kept: only that there was one. Thread: the
 * panel's. */
#pragma once

#include "relay/base/list.h"

struct exchange;
struct repeat;

enum {
    REPEATS_MOST = 1000,
    REPEATS_OF_ONE = 200, /* of an account */
    REPEAT_KEY_MOST = 128,
    REPEAT_ANSWER_MOST = 16 * 1024, /* longer ones are not kept */
    REPEAT_KEPT_MS = 24 * 3600 * 1000,
};

struct repeats {
    struct list kept; /* the oldest first */
    unsigned n_kept;
};

void repeats_init(struct repeats *repeats);
void repeats_fini(struct repeats *repeats);

/* False after answering: with the first answer, 409 `still_running`, or 422 `key_reused`. */
bool repeats_begin(struct exchange *exchange);
void repeats_answered(struct exchange *exchange); /* status and text are the answer's */
void repeats_end(struct exchange *exchange);      /* it goes */
