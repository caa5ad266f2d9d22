/* What the throttle remembers of addresses, users and pairs: at most `capacity` of them.  The least
 * recently seen is forgotten first, but who is known, and who is being guessed at, go last:
 * invented names must not wash them away.  They have half of the room at most. Thread: the owner's.
 * Private to policy/throttle.c. */
#pragma once

#include <stdbool.h>

#include "policy/key_table.h"
#include "policy/throttle.h"
#include "relay/base/list.h"

#define LONG_AGO_MS (INT64_MIN / 2)

struct suspect {
    struct key_entry entry;
    struct list by_age; /* in suspects.passing or suspects.kept */
    uint32_t n_failures;
    bool is_known; /* pair: has logged in before */
    bool is_kept;
    int64_t last_failure_ms, not_before_ms;
    int64_t last_failure_in_row_ms;
    uint32_t n_in_a_row;     /* user: failures of strangers since the last success; never faded */
    uint32_t n_open;         /* user: guesses of strangers that are being checked */
    uint64_t wrong_password; /* pair: the latest */
    int64_t starts_ms[THROTTLE_GUESSES_PER_SECOND]; /* address: the latest ones, oldest first */
};

struct suspects {
    struct key_table table;
    struct list passing, kept; /* least recently seen first */
    uint32_t n_kept, capacity;
};

void suspects_init(struct suspects *suspects, uint32_t capacity); /* 6 or more */
void suspects_fini(struct suspects *suspects);

/* It has been seen now; NULL: nothing is known of it. */
struct suspect *suspects_see(struct suspects *suspects, uint64_t key);

/* The same, made when it is not there; NULL without memory.  Never forgets what one of the last two
 * calls returned. */
struct suspect *suspects_make(struct suspects *suspects, uint64_t key);

/* What it is worth to be kept for may have changed. */
void suspects_place(struct suspects *suspects, struct suspect *suspect);
