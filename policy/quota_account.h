/* The accounts of a quota book and their counts.  Private to quota_*.c.
 * Thread: the policy thread; pure. */
#pragma once

#include "policy/quota_book.h"

enum quota_counted { COUNT_MESSAGES, COUNT_RECIPIENTS, COUNT_TRANSACTIONAL, N_COUNTED };

enum quota_counted quota_budget_counted(enum quota_budget budget);

/* One budget in one period. */
struct quota_count {
    struct quota_count *next;
    struct period period;
    uint32_t used, limit; /* limit: as last seen; 0: none, nothing of it is stored */
    uint32_t reserved;    /* stored */
    uint32_t wanted;      /* to be stored; while is_wanted */
    uint8_t told;
    bool is_wanted, is_storing;
};

struct quota_account {
    struct key_entry entry;                      /* by the user's id */
    struct list unstored;                        /* in the book's */
    struct quota_count *counts[N_QUOTA_BUDGETS]; /* by their start */
    struct quota_count *lately[N_QUOTA_BUDGETS]; /* looked at; NULL: none */
    int64_t full_ms[N_QUOTA_RATES];              /* when all its tokens are back, monotonic */
    uint32_t n_delayed;
};

enum { QUOTA_BURST_MS = 10000 }; /* what a token bucket holds */

struct quota_account *quota_account_find(const struct quota_book *book, uint32_t user_id);

/* NULL without memory. */
struct quota_account *quota_account_make(struct quota_book *book, uint32_t user_id);

/* The count of the period that utc_ms lies in; NULL: there is none, or no memory. */
struct quota_count *quota_count_find(struct quota_account *account, unsigned budget,
                                     int64_t utc_ms);
struct quota_count *quota_count_make(struct quota_book *book, struct quota_account *account,
                                     unsigned budget, int64_t utc_ms);
struct quota_count *quota_count_add(struct quota_account *account, unsigned budget,
                                    struct period period);
void quota_count_forget_past(struct quota_account *account, unsigned budget, int64_t utc_ms);
void quota_count_raise(struct quota_count *count, uint32_t amount);

/* To be stored soon: at least so much is reserved. */
void quota_want_store(struct quota_book *book, struct quota_account *account,
                      struct quota_count *count, uint32_t wanted);

/* The present period; kept, for finding it costs. */
struct period quota_period(struct quota_book *book, enum period_unit unit, int64_t utc_ms);
