#include "policy/quota_account.h"

#include <errno.h>
#include <stdlib.h>

enum {
    KEPT_MS = 3600 * 1000
}; /* a count stays so long after its end: clocks are set back a little */

static const struct {
    const char *name;
    enum period_unit unit;
    enum quota_counted counted;
} budgets[N_QUOTA_BUDGETS] = {
    [QUOTA_MESSAGES_PER_HOUR] = {"messages_per_hour",      PERIOD_HOUR,  COUNT_MESSAGES     },
    [QUOTA_MESSAGES_PER_DAY] = {"messages_per_day",       PERIOD_DAY,   COUNT_MESSAGES     },
    [QUOTA_MESSAGES_PER_MONTH] = {"messages_per_month",     PERIOD_MONTH, COUNT_MESSAGES     },
    [QUOTA_RECIPIENTS_PER_HOUR] = {"recipients_per_hour",    PERIOD_HOUR,  COUNT_RECIPIENTS   },
    [QUOTA_RECIPIENTS_PER_DAY] = {"recipients_per_day",     PERIOD_DAY,   COUNT_RECIPIENTS   },
    [QUOTA_RECIPIENTS_PER_MONTH] = {"recipients_per_month",   PERIOD_MONTH, COUNT_RECIPIENTS   },
    [QUOTA_TRANSACTIONAL_PER_HOUR] = {"transactional_per_hour", PERIOD_HOUR,  COUNT_TRANSACTIONAL},
};

const char *quota_budget_name(enum quota_budget budget)
{
    return budgets[budget].name;
}

enum period_unit quota_budget_unit(enum quota_budget budget)
{
    return budgets[budget].unit;
}

bool quota_budget_parse(struct slice name, enum quota_budget *out)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        if (slice_equal(name, slice_of(budgets[i].name))) {
            *out = (enum quota_budget)i;
            return true;
        }
    return false;
}

enum quota_counted quota_budget_counted(enum quota_budget budget)
{
    return budgets[budget].counted;
}

/* ---- accounts and counts ---- */

void quota_book_init(struct quota_book *book, int64_t now_ms)
{
    *book = (struct quota_book){.start_ms = now_ms};
    list_init(&book->unstored);
}

static void free_counts(struct quota_account *account)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        while (account->counts[i]) {
            struct quota_count *count = account->counts[i];

            account->counts[i] = count->next;
            free(count);
        }
}

void quota_book_fini(struct quota_book *book)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&book->accounts))) {
        struct quota_account *account = CONTAINER_OF(entry, struct quota_account, entry);

        free_counts(account);
        free(account);
    }
    key_table_fini(&book->accounts);
}

struct quota_account *quota_account_find(const struct quota_book *book, uint32_t user_id)
{
    struct key_entry *entry = key_table_find(&book->accounts, user_id);

    return entry ? CONTAINER_OF(entry, struct quota_account, entry) : NULL;
}

/* NULL without memory. */
struct quota_account *quota_account_make(struct quota_book *book, uint32_t user_id)
{
    struct quota_account *account = quota_account_find(book, user_id);

    if (account)
        return account;
    account = calloc(1, sizeof(*account));
    if (!account)
        return NULL;
    account->entry.key = user_id;
    list_init(&account->unstored);
    for (unsigned i = 0; i < N_QUOTA_RATES; i++)
        account->full_ms[i] = book->start_ms + QUOTA_BURST_MS; /* empty at the start */
    if (key_table_add(&book->accounts, &account->entry) == 0)
        return account;
    free(account);
    return NULL;
}

struct period quota_period(struct quota_book *book, enum period_unit unit, int64_t utc_ms)
{
    struct period *known = &book->periods[unit];

    if (utc_ms < known->starts_utc_ms || utc_ms >= known->ends_utc_ms)
        *known = period_at(unit, utc_ms);
    return *known;
}

/* The last that starts by then; NULL: there is none.  Who looks at one period after the other goes
 * through the list once. */
static struct quota_count *last_started(struct quota_account *account, unsigned budget,
                                        int64_t utc_ms)
{
    struct quota_count *count = account->lately[budget];

    if (!count || count->period.starts_utc_ms > utc_ms)
        count = account->counts[budget];
    if (!count || count->period.starts_utc_ms > utc_ms)
        return NULL;
    while (count->next && count->next->period.starts_utc_ms <= utc_ms)
        count = count->next;
    account->lately[budget] = count;
    return count;
}

struct quota_count *quota_count_find(struct quota_account *account, unsigned budget, int64_t utc_ms)
{
    struct quota_count *count = last_started(account, budget, utc_ms);

    return count && utc_ms < count->period.ends_utc_ms ? count : NULL;
}

void quota_count_forget_past(struct quota_account *account, unsigned budget, int64_t utc_ms)
{
    struct quota_count **link = &account->counts[budget];

    while (*link && (*link)->period.ends_utc_ms + KEPT_MS <= utc_ms) {
        struct quota_count *count = *link;

        if (count->is_storing) {
            link = &count->next;
            continue;
        }
        *link = count->next;
        account->lately[budget] = NULL;
        free(count);
    }
}

struct quota_count *quota_count_add(struct quota_account *account, unsigned budget,
                                    struct period period)
{
    struct quota_count *count = calloc(1, sizeof(*count));
    struct quota_count *before = last_started(account, budget, period.starts_utc_ms);
    struct quota_count **link = before ? &before->next : &account->counts[budget];

    if (!count)
        return NULL;
    count->period = period;
    count->next = *link;
    *link = count;
    return count;
}

/* NULL without memory. */
struct quota_count *quota_count_make(struct quota_book *book, struct quota_account *account,
                                     unsigned budget, int64_t utc_ms)
{
    struct quota_count *count = quota_count_find(account, budget, utc_ms);

    return count
               ? count
               : quota_count_add(account, budget, quota_period(book, budgets[budget].unit, utc_ms));
}

/* ---- what must be stored ---- */

void quota_want_store(struct quota_book *book, struct quota_account *account,
                      struct quota_count *count, uint32_t wanted)
{
    if (!count->is_wanted || wanted > count->wanted)
        count->wanted = wanted;
    count->is_wanted = true;
    if (list_is_empty(&account->unstored))
        list_append(&book->unstored, &account->unstored);
}

void quota_count_raise(struct quota_count *count, uint32_t amount)
{
    count->used = count->used > UINT32_MAX - amount ? UINT32_MAX : count->used + amount;
}
