#include "policy/quota_account.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MOST_DEBT_MS = 60000, /* a rate looks no further ahead: its delays are short anyway */
    BLOCK_PARTS = 20,     /* a block is so small a part of a budget, */
    BLOCK_MOST = 5000,    /* and no more than this */
    MOST_STEPS = 4096,
};

#define HORIZON_MS ((int64_t)QUOTA_HORIZON_DAYS * 86400 * 1000)

/* ---- reserving ---- */

static uint32_t block_of(uint32_t limit)
{
    uint32_t block = limit / BLOCK_PARTS;

    if (block < 1)
        return 1;
    return block < BLOCK_MOST ? block : (uint32_t)BLOCK_MOST;
}

/* True: what is used is within what is stored.  A block ahead is asked for in time. */
static bool reserve(struct quota_book *book, struct quota_account *account,
                    struct quota_count *count, uint32_t limit)
{
    uint32_t block = block_of(limit), ahead;

    count->limit = limit;
    if (!limit)
        return true;
    ahead = count->used > limit - block ? limit : count->used + block;
    if (limit < block || ahead < count->used)
        ahead = count->used;
    if (count->used + block / 2 > count->reserved && ahead > count->reserved)
        quota_want_store(book, account, count, ahead);
    return count->used <= count->reserved;
}

/* ---- one message ---- */

struct charging {
    struct quota_book *book;
    const struct quota_limits *limits;
    struct quota_account *account;
    struct quota_answer *answer;
    uint32_t amounts[N_COUNTED];
    int64_t utc_ms;
};

static uint32_t amount_of(const struct charging *at, unsigned budget)
{
    return at->amounts[quota_budget_counted((enum quota_budget)budget)];
}

static bool has_room(const struct charging *at, unsigned budget, int64_t utc_ms)
{
    uint64_t limit = at->limits->budgets[budget];
    const struct quota_count *count;

    if (!limit)
        return true;
    count = quota_count_find(at->account, budget, utc_ms);
    return (count ? count->used : 0) + (uint64_t)amount_of(at, budget) <= limit;
}

/* No period of it has room for so many. */
static bool is_above(const struct charging *at, unsigned budget)
{
    return amount_of(at, budget) > at->limits->budgets[budget];
}

/* Whether a budget stands in the way at *utc_ms; moves that to the end of its period. */
static bool is_in_the_way(const struct charging *at, int64_t *utc_ms)
{
    for (unsigned i = 0; i < QUOTA_TRANSACTIONAL_PER_HOUR; i++) {
        if (has_room(at, i, *utc_ms))
            continue;
        at->answer->is_held = true;
        at->answer->budget = (enum quota_budget)i;
        *utc_ms = is_above(at, i)
                      ? at->utc_ms + HORIZON_MS + 1
                      : quota_period(at->book, quota_budget_unit((enum quota_budget)i), *utc_ms)
                            .ends_utc_ms;
        return true;
    }
    return false;
}

/* When every budget has room; 0: within no time that we look at. */
static int64_t find_moment(const struct charging *at)
{
    int64_t utc_ms = at->utc_ms;

    for (int i = 0; i < MOST_STEPS && utc_ms <= at->utc_ms + HORIZON_MS; i++)
        if (!is_in_the_way(at, &utc_ms))
            return utc_ms;
    return 0;
}

static void tell(struct charging *at, unsigned budget, struct quota_count *count, unsigned percent)
{
    if (count->told >= percent)
        return;
    count->told = (uint8_t)percent;
    quota_want_store(at->book, at->account, count,
                     count->used > count->reserved ? count->used : count->reserved);
    at->answer->warnings[at->answer->n_warnings++] =
        (struct quota_warning){.budget = (enum quota_budget)budget,
                               .percent = percent,
                               .used = count->used,
                               .limit = at->limits->budgets[budget],
                               .ends_utc_ms = count->period.ends_utc_ms};
}

static void warn(struct charging *at, unsigned budget, struct quota_count *count)
{
    uint64_t limit = at->limits->budgets[budget];

    /* Nothing is held for its class: quota_book_class_exceeded() tells. */
    if (!limit || budget == QUOTA_TRANSACTIONAL_PER_HOUR ||
        at->utc_ms < count->period.starts_utc_ms)
        return;
    if (count->used >= limit)
        tell(at, budget, count, 100);
    else if ((uint64_t)count->used * 100 >= limit * QUOTA_WARN_PERCENT)
        tell(at, budget, count, QUOTA_WARN_PERCENT);
}

/* All counts are there before any is changed. */
static int make_counts(const struct charging *at, int64_t utc_ms, struct quota_count **counts)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++) {
        quota_count_forget_past(at->account, i, at->utc_ms);
        counts[i] = quota_count_make(at->book, at->account, i, utc_ms);
        if (!counts[i])
            return FAULT(-ENOMEM);
    }
    return 0;
}

static void count_all(struct charging *at, struct quota_count **counts)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++) {
        if (i == QUOTA_TRANSACTIONAL_PER_HOUR && !at->answer->is_transactional)
            continue;
        quota_count_raise(counts[i], amount_of(at, i));
        at->answer->is_durable &= reserve(at->book, at->account, counts[i], at->limits->budgets[i]);
        warn(at, i, counts[i]);
    }
}

/* What holds it is used up, for whoever is told, even if some crumbs of it are left; not if it is
 * that of a later period, or would hold it whenever it came. */
static void tell_held(struct charging *at)
{
    unsigned budget = at->answer->budget;
    struct quota_count *count = quota_count_find(at->account, budget, at->utc_ms);

    if (count && !is_above(at, budget) && !has_room(at, budget, at->utc_ms))
        tell(at, budget, count, 100);
}

static int count_message(struct charging *at, const struct quota_charge *charge)
{
    struct quota_count *counts[N_QUOTA_BUDGETS];
    int64_t moment = find_moment(at);

    if (moment) {
        int error = make_counts(at, moment, counts);

        if (error)
            return error;
        at->answer->is_transactional =
            charge->wants_transactional && has_room(at, QUOTA_TRANSACTIONAL_PER_HOUR, moment);
        at->answer->counted_utc_ms = moment;
        count_all(at, counts);
    }
    if (at->answer->is_held) {
        at->answer->until_utc_ms = moment;
        tell_held(at);
    }
    return 0;
}

/* ---- rates ---- */

static uint32_t take_tokens(int64_t *full_ms, uint32_t amount, uint32_t per_minute, int64_t now_ms)
{
    int64_t debt_ms;

    if (!per_minute)
        return 0;
    if (*full_ms < now_ms)
        *full_ms = now_ms;
    *full_ms += (int64_t)amount * 60000 / per_minute;
    if (*full_ms > now_ms + QUOTA_BURST_MS + MOST_DEBT_MS)
        *full_ms = now_ms + QUOTA_BURST_MS + MOST_DEBT_MS;
    debt_ms = *full_ms - now_ms - QUOTA_BURST_MS;
    if (debt_ms <= 0)
        return 0;
    return debt_ms < QUOTA_MOST_DELAY_MS ? (uint32_t)debt_ms : (uint32_t)QUOTA_MOST_DELAY_MS;
}

static uint32_t delay_of(struct charging *at, int64_t now_ms)
{
    uint32_t delay_ms = 0;

    for (unsigned i = 0; i < N_QUOTA_RATES; i++) {
        uint32_t asked_ms = take_tokens(
            &at->account->full_ms[i],
            at->amounts[i == QUOTA_MESSAGES_PER_MINUTE ? COUNT_MESSAGES : COUNT_RECIPIENTS],
            at->limits->rates[i], now_ms);

        if (asked_ms > delay_ms)
            delay_ms = asked_ms;
    }
    return delay_ms;
}

int quota_book_charge(struct quota_book *book, const struct quota_limits *limits,
                      const struct quota_charge *charge, int64_t now_ms, int64_t utc_ms,
                      struct quota_answer *out)
{
    struct charging at = {
        .book = book,
        .limits = limits,
        .account = quota_account_make(book, charge->user_id),
        .answer = out,
        .amounts = {[COUNT_MESSAGES] = 1,
                    [COUNT_RECIPIENTS] = charge->n_recipients,
                    [COUNT_TRANSACTIONAL] = charge->n_recipients},
        .utc_ms = utc_ms
    };
    int error;

    *out = (struct quota_answer){.is_durable = true};
    if (!at.account)
        return FAULT(-ENOMEM);
    error = count_message(&at, charge);
    if (!error)
        out->delay_ms = delay_of(&at, now_ms);
    return error;
}
