/* The counting behind permits.h: budgets, what is out, and what was spent and comes back later.
 * At every moment (permits out) + (permits spent within the last window) <= limit, unless the limit
 * was lowered a moment ago; then nothing is granted until it holds again.
 * Thread: the owner's (policy thread); pure, the clock is an argument. */
#pragma once

#include "policy/key_table.h"
#include "relay/base/list.h"

enum { N_SPENT_SLOTS = 64, MOST_SPENT_GROUPS = N_SPENT_SLOTS + 2 };

struct spent_group {
    int64_t back_ms;
    uint32_t n;
};

struct permit_budget {
    struct key_entry entry; /* for whoever keeps many */
    uint32_t limit;         /* 0: no limit */
    int64_t window_ms;      /* 0: concurrent */
    uint32_t n_out;         /* leased, in use or idle */
    uint32_t n_spent;       /* sum of the groups */
    uint32_t n_groups;
    struct spent_group groups[MOST_SPENT_GROUPS];
};

/* How many could be granted now; UINT32_MAX: there is no limit. */
uint32_t permit_budget_room(struct permit_budget *budget, int64_t now_ms);

/* Grants at most n_wanted: all when there is plenty, half of what is free when it is scarce (at
 * least one), so that the first loop to ask does not take all. */
uint32_t permit_budget_lease(struct permit_budget *budget, uint32_t n_wanted, int64_t now_ms);

/* n_unused come back at once; n_spent were used, the last of them at last_spent_ms. */
void permit_budget_return(struct permit_budget *budget, uint32_t n_unused, uint32_t n_spent,
                          int64_t last_spent_ms, int64_t now_ms);

/* When spent permits come back next; INT64_MAX when none will. */
int64_t permit_budget_next_ms(const struct permit_budget *budget);
