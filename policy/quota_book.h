/* How much each user has sent: per minute as a rate, per hour, day and month as budgets of calendar
 * periods (period.h).  A message that no present period has room for is counted in the first one
 * that has: it is held until that begins, and what comes after it finds that room taken.  So held
 * mail leaves in order, and no period passes more than its budget, whoever else sends then.
 * Budgets are reserved durably in blocks: a count above `reserved` must be stored before its
 * message is answered (is_durable), and a start takes what was reserved as used.
 * Rates are token buckets that hold ten seconds' worth and start empty.
 * Thread: the owner's (policy thread); pure, both clocks are arguments. */
#pragma once

#include "policy/key_table.h"
#include "policy/period.h"
#include "relay/base/list.h"
#include "relay/base/slice.h"

enum quota_budget {
    QUOTA_MESSAGES_PER_HOUR,
    QUOTA_MESSAGES_PER_DAY,
    QUOTA_MESSAGES_PER_MONTH,
    QUOTA_RECIPIENTS_PER_HOUR,
    QUOTA_RECIPIENTS_PER_DAY,
    QUOTA_RECIPIENTS_PER_MONTH,
    QUOTA_TRANSACTIONAL_PER_HOUR, /* recipients of mail that goes before bulk */
    N_QUOTA_BUDGETS
};

enum quota_rate { QUOTA_MESSAGES_PER_MINUTE, QUOTA_RECIPIENTS_PER_MINUTE, N_QUOTA_RATES };

struct quota_limits { /* 0: none */
    uint32_t budgets[N_QUOTA_BUDGETS];
    uint32_t rates[N_QUOTA_RATES];
};

const char *quota_budget_name(enum quota_budget budget); /* "messages_per_hour", … */
enum period_unit quota_budget_unit(enum quota_budget budget);
bool quota_budget_parse(struct slice name, enum quota_budget *out);

enum {
    QUOTA_MOST_DELAY_MS = 2000,
    QUOTA_HORIZON_DAYS = 40, /* what has no room until then is held for an operator */
    QUOTA_WARN_PERCENT = 80,
};

struct quota_charge {
    uint32_t user_id, n_recipients;
    bool wants_transactional;
};

/* Once a period each: 80 % of a budget is used, and all of it. */
struct quota_warning {
    enum quota_budget budget;
    unsigned percent; /* 80 or 100 */
    uint32_t used, limit;
    int64_t ends_utc_ms;
};

struct quota_answer {
    bool is_held;
    bool is_durable;          /* false: answer after the next store */
    bool is_transactional;    /* as wanted, and within its budget */
    enum quota_budget budget; /* when held: which one is used up */
    int64_t counted_utc_ms;   /* when it may leave, for quota_book_refund(); 0: nothing counted */
    int64_t until_utc_ms;     /* when held; 0: it fits no period, an operator decides */
    uint32_t delay_ms;        /* what the rates ask for, at most QUOTA_MOST_DELAY_MS */
    unsigned n_warnings;
    struct quota_warning warnings[N_QUOTA_BUDGETS];
};

/* One count as it is stored. */
struct quota_row {
    uint32_t user_id;
    enum quota_budget budget;
    struct period period;
    uint32_t reserved;
    unsigned told; /* percent */
};

struct quota_book {
    struct key_table accounts;
    struct list unstored;                  /* accounts with counts to store */
    int64_t start_ms;                      /* monotonic */
    struct period periods[N_PERIOD_UNITS]; /* lately asked about */
};

void quota_book_init(struct quota_book *book, int64_t now_ms);
void quota_book_fini(struct quota_book *book);

/* Counts one message; -ENOMEM: nothing is counted. */
MUST_USE int quota_book_charge(struct quota_book *book, const struct quota_limits *limits,
                               const struct quota_charge *charge, int64_t now_ms, int64_t utc_ms,
                               struct quota_answer *out);

/* Counts what was accepted without asking, of a user without limits; best effort. */
void quota_book_note(struct quota_book *book, uint32_t user_id, uint32_t n_messages,
                     uint32_t n_recipients, int64_t utc_ms);

/* What was counted at counted_utc_ms did not come after all. */
struct quota_refund {
    uint32_t user_id, n_messages, n_recipients, n_transactional;
    int64_t counted_utc_ms;
};
void quota_book_refund(struct quota_book *book, const struct quota_refund *refund);

/* A message was to go before bulk and its hour had no room: true once an hour. */
bool quota_book_class_exceeded(struct quota_book *book, uint32_t user_id, int64_t utc_ms);

/* Sessions of the user that are being delayed: a quarter of them at most. */
bool quota_book_may_delay(struct quota_book *book, uint32_t user_id, uint32_t n_sessions);
void quota_book_delay_ended(struct quota_book *book, uint32_t user_id);

/* What is used of each budget now. */
void quota_book_usage(struct quota_book *book, uint32_t user_id, int64_t utc_ms,
                      uint32_t used[N_QUOTA_BUDGETS]);

/* ---- storing ---- */

/* As found at start; -ENOMEM. */
MUST_USE int quota_book_load(struct quota_book *book, const struct quota_row *row);

/* Takes up to `most` rows to be stored; 0: none.  What is counted meanwhile waits for the next. */
uint32_t quota_book_take(struct quota_book *book, struct quota_row *rows, uint32_t most);

/* Some of the user's counts are not taken yet. */
bool quota_book_is_unstored(const struct quota_book *book, uint32_t user_id);

/* The row is stored, or it failed and has to be taken again. */
void quota_book_stored(struct quota_book *book, const struct quota_row *row, bool is_stored);

/* A clean stop: what was reserved and not used is given back, by the rows taken afterwards. */
void quota_book_settle(struct quota_book *book, int64_t utc_ms);
