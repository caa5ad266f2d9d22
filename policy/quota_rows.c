/* What is counted without a question, and what goes to the database and back. */
#include "policy/quota_account.h"

#include <errno.h>

/* ---- without a question ---- */

void quota_book_note(struct quota_book *book, uint32_t user_id, uint32_t n_messages,
                     uint32_t n_recipients, int64_t utc_ms)
{
    struct quota_account *account = quota_account_make(book, user_id);

    for (unsigned i = 0; account && i < QUOTA_TRANSACTIONAL_PER_HOUR; i++) {
        struct quota_count *count;

        quota_count_forget_past(account, i, utc_ms);
        count = quota_count_make(book, account, i, utc_ms);
        if (count)
            quota_count_raise(count, quota_budget_counted((enum quota_budget)i) == COUNT_MESSAGES
                                         ? n_messages
                                         : n_recipients);
    }
}

void quota_book_refund(struct quota_book *book, const struct quota_refund *refund)
{
    const uint32_t amounts[] = {[COUNT_MESSAGES] = refund->n_messages,
                                [COUNT_RECIPIENTS] = refund->n_recipients,
                                [COUNT_TRANSACTIONAL] = refund->n_transactional};
    struct quota_account *account = quota_account_find(book, refund->user_id);

    for (unsigned i = 0; account && refund->counted_utc_ms && i < N_QUOTA_BUDGETS; i++) {
        struct quota_count *count = quota_count_find(account, i, refund->counted_utc_ms);
        uint32_t amount = amounts[quota_budget_counted((enum quota_budget)i)];

        if (count)
            count->used -= amount < count->used ? amount : count->used;
    }
}

bool quota_book_class_exceeded(struct quota_book *book, uint32_t user_id, int64_t utc_ms)
{
    struct quota_account *account = quota_account_find(book, user_id);
    struct quota_count *count =
        account ? quota_count_make(book, account, QUOTA_TRANSACTIONAL_PER_HOUR, utc_ms) : NULL;

    if (!count || count->told == 100)
        return false;
    count->told = 100;
    quota_want_store(book, account, count,
                     count->used > count->reserved ? count->used : count->reserved);
    return true;
}

bool quota_book_may_delay(struct quota_book *book, uint32_t user_id, uint32_t n_sessions)
{
    struct quota_account *account = quota_account_find(book, user_id);

    /* The first may always wait, or a user of one session would know no rate. */
    if (!account || (account->n_delayed && account->n_delayed * 4 >= n_sessions))
        return false;
    account->n_delayed++;
    return true;
}

void quota_book_delay_ended(struct quota_book *book, uint32_t user_id)
{
    struct quota_account *account = quota_account_find(book, user_id);

    if (account && account->n_delayed)
        account->n_delayed--;
}

void quota_book_usage(struct quota_book *book, uint32_t user_id, int64_t utc_ms,
                      uint32_t used[N_QUOTA_BUDGETS])
{
    struct quota_account *account = quota_account_find(book, user_id);

    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++) {
        const struct quota_count *count = account ? quota_count_find(account, i, utc_ms) : NULL;

        used[i] = count ? count->used : 0;
    }
}

/* ---- storing ---- */

int quota_book_load(struct quota_book *book, const struct quota_row *row)
{
    struct quota_account *account = quota_account_make(book, row->user_id);
    struct quota_count *count = account ? quota_count_add(account, row->budget, row->period) : NULL;

    if (!count)
        return FAULT(-ENOMEM);
    count->used = count->reserved = row->reserved;
    count->told = (uint8_t)row->told;
    return 0;
}

static bool take_counts(struct quota_account *account, struct quota_row *rows, uint32_t most,
                        uint32_t *n_rows)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        for (struct quota_count *count = account->counts[i]; count; count = count->next) {
            if (!count->is_wanted)
                continue;
            if (*n_rows == most)
                return false;
            rows[(*n_rows)++] =
                (struct quota_row){(uint32_t)account->entry.key, (enum quota_budget)i,
                                   count->period, count->wanted, count->told};
            count->is_wanted = false;
            count->is_storing = true;
        }
    return true;
}

uint32_t quota_book_take(struct quota_book *book, struct quota_row *rows, uint32_t most)
{
    uint32_t n_rows = 0;

    while (!list_is_empty(&book->unstored)) {
        struct quota_account *account =
            CONTAINER_OF(book->unstored.next, struct quota_account, unstored);

        if (!take_counts(account, rows, most, &n_rows))
            break;
        list_remove(&account->unstored);
    }
    return n_rows;
}

bool quota_book_is_unstored(const struct quota_book *book, uint32_t user_id)
{
    struct quota_account *account = quota_account_find(book, user_id);

    return account && !list_is_empty(&account->unstored);
}

void quota_book_stored(struct quota_book *book, const struct quota_row *row, bool is_stored)
{
    struct quota_account *account = quota_account_find(book, row->user_id);
    struct quota_count *count =
        account ? quota_count_find(account, row->budget, row->period.starts_utc_ms) : NULL;

    if (!count)
        return;
    count->is_storing = false;
    if (is_stored)
        count->reserved = row->reserved;
    else
        quota_want_store(book, account, count, row->reserved);
}

static void settle_count(struct quota_book *book, struct quota_account *account,
                         struct quota_count *count, int64_t utc_ms)
{
    if (!count->limit || count->used == count->reserved || count->period.ends_utc_ms <= utc_ms)
        return;
    count->is_wanted = false;
    quota_want_store(book, account, count, count->used);
}

static void settle_account(struct quota_book *book, struct quota_account *account, int64_t utc_ms)
{
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        for (struct quota_count *count = account->counts[i]; count; count = count->next)
            settle_count(book, account, count, utc_ms);
}

void quota_book_settle(struct quota_book *book, int64_t utc_ms)
{
    for (uint32_t i = 0; i < book->accounts.n_buckets; i++)
        for (struct key_entry *entry = book->accounts.buckets[i]; entry; entry = entry->next)
            settle_account(book, CONTAINER_OF(entry, struct quota_account, entry), utc_ms);
}
