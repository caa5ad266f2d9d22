/* The counting behind permits that are a pace: so many messages a second, minute, hour and day,
 * whichever loops send them.  They are granted in a steady row (relay/base/pace.h), so that nothing
 * is saved up and a restart needs no memory; and at every moment those out and those spent within
 * the last window together are no more than the limit, however late a permit is used.
 * Bulk has 95 % of each row.
 * Thread: the owner's (policy thread); pure, the clock is an argument. */
#pragma once

#include "policy/permit_book.h"
#include "relay/base/pace.h"

enum { N_PACE_WINDOWS = 4, PACE_NOT_SOON_MS = 100 };

struct pace_limits {
    uint32_t n[N_PACE_WINDOWS]; /* a second, minute, hour, day; 0: no such limit */
};

struct pace_book {
    bool is_known; /* its limits are; nothing is granted before */
    struct pace_limits limits;
    struct pace all[N_PACE_WINDOWS], bulk[N_PACE_WINDOWS];
    int64_t started_us[N_PACE_WINDOWS]; /* where their rows began with this limit */
    struct permit_budget used[N_PACE_WINDOWS];
};

void pace_book_init(struct pace_book *book);

/* What is set anew begins as if it had just been used as fast as it may be. */
void pace_book_set_limits(struct pace_book *book, const struct pace_limits *limits, int64_t now_ms);

uint32_t pace_book_lease(struct pace_book *book, bool is_bulk, uint32_t n_wanted, int64_t now_ms);
void pace_book_return(struct pace_book *book, bool is_bulk, uint32_t n_unused, uint32_t n_spent,
                      int64_t last_spent_ms, int64_t now_ms);

/* When it is worth to ask again; after now_ms if nothing would be granted now. */
int64_t pace_book_next_ms(const struct pace_book *book, bool is_bulk, int64_t now_ms);

/* Nothing is out, and nothing in it that a new one would not have as well. */
bool pace_book_is_past(const struct pace_book *book, int64_t now_ms);
