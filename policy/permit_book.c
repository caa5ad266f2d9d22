#include "policy/permit_book.h"

#include <assert.h>

/* Spent permits come back in groups, at most this far after their time: never earlier. */
static int64_t slot_ms(const struct permit_budget *budget)
{
    return (budget->window_ms + N_SPENT_SLOTS - 1) / N_SPENT_SLOTS;
}

static void collect_spent(struct permit_budget *budget, int64_t now_ms)
{
    uint32_t n_kept = 0;

    for (uint32_t i = 0; i < budget->n_groups; i++) {
        if (budget->groups[i].back_ms <= now_ms)
            budget->n_spent -= budget->groups[i].n;
        else
            budget->groups[n_kept++] = budget->groups[i];
    }
    budget->n_groups = n_kept;
}

static void add_spent(struct permit_budget *budget, uint32_t n, int64_t back_ms)
{
    int64_t slot = slot_ms(budget);
    int64_t rounded_ms = (back_ms + slot - 1) / slot * slot;

    budget->n_spent += n;
    for (uint32_t i = 0; i < budget->n_groups; i++)
        if (budget->groups[i].back_ms == rounded_ms) {
            budget->groups[i].n += n;
            return;
        }
    assert(budget->n_groups < MOST_SPENT_GROUPS); /* back times lie within one window from now */
    budget->groups[budget->n_groups++] = (struct spent_group){rounded_ms, n};
}

uint32_t permit_budget_room(struct permit_budget *budget, int64_t now_ms)
{
    uint64_t n_used;

    collect_spent(budget, now_ms);
    if (!budget->limit)
        return UINT32_MAX;
    n_used = (uint64_t)budget->n_out + budget->n_spent;
    return n_used < budget->limit ? (uint32_t)(budget->limit - n_used) : 0;
}

uint32_t permit_budget_lease(struct permit_budget *budget, uint32_t n_wanted, int64_t now_ms)
{
    uint64_t n_free = permit_budget_room(budget, now_ms);
    uint32_t n_granted;

    n_granted = (uint32_t)(n_wanted <= n_free / 2 ? n_wanted : (n_free + 1) / 2);
    if (n_granted > n_wanted)
        n_granted = n_wanted;
    budget->n_out += n_granted;
    return n_granted;
}

void permit_budget_return(struct permit_budget *budget, uint32_t n_unused, uint32_t n_spent,
                          int64_t last_spent_ms, int64_t now_ms)
{
    assert(n_unused + n_spent <= budget->n_out);
    budget->n_out -= n_unused + n_spent;
    collect_spent(budget, now_ms);
    if (n_spent && budget->window_ms && last_spent_ms + budget->window_ms > now_ms)
        add_spent(budget, n_spent, last_spent_ms + budget->window_ms);
}

int64_t permit_budget_next_ms(const struct permit_budget *budget)
{
    int64_t next_ms = INT64_MAX;

    for (uint32_t i = 0; i < budget->n_groups; i++)
        if (budget->groups[i].back_ms < next_ms)
            next_ms = budget->groups[i].back_ms;
    return next_ms;
}
