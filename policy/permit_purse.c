/* A loop's purse.  What nobody used for a whole period goes back, so a permit is idle for at most
 * two periods, which are one lease. */
#include "policy/permit_purse.h"

#include "policy/policy_internal.h"

enum { PERIOD_MS = PERMIT_LEASE_MS / 2 };

void permit_purse_init(struct permit_purse *purse, struct policy *policy, struct mailbox *home,
                       struct permit_key key, void (*on_change)(struct permit_purse *purse))
{
    *purse =
        (struct permit_purse){.policy = policy, .home = home, .key = key, .on_change = on_change};
}

static void send_away(struct permit_purse *purse)
{
    if (purse->is_away || !(purse->n_wanted || purse->n_unused || purse->n_spent))
        return;
    purse->sent.n_wanted = purse->n_wanted;
    purse->sent.n_unused = purse->n_unused;
    purse->sent.n_spent = purse->n_spent;
    purse->sent.last_spent_ms = purse->last_spent_ms;
    purse->n_wanted = purse->n_unused = purse->n_spent = 0;
    purse->is_away = true;
    purse->task.run = permits_exchange;
    mailbox_answer(purse->policy->mailbox, &purse->task); /* one per purse: bounded */
}

static void give_all_back(struct permit_purse *purse)
{
    purse->n_unused += purse->n_idle;
    purse->n_idle = purse->n_least = 0;
    purse->n_wanted = 0;
    send_away(purse);
}

void permit_purse_come_home(struct task *task)
{
    struct permit_purse *purse = (struct permit_purse *)(void *)task;

    purse->is_away = false;
    purse->n_idle += purse->sent.n_granted;
    purse->again_ms = purse->sent.again_ms;
    if (purse->is_closing) {
        give_all_back(purse);
    } else if (purse->sent.n_wanted) {
        purse->n_wanted = 0; /* whoever was refused meanwhile asks again from here */
        if (purse->on_change)
            purse->on_change(purse);
    } else if (purse->n_wanted) {
        send_away(purse); /* it only carried things back, and was wanted meanwhile */
    }
}

void permit_purse_want(struct permit_purse *purse, uint32_t n)
{
    if (purse->is_closing || n <= purse->n_idle)
        return;
    n -= purse->n_idle;
    if (purse->n_wanted < n)
        purse->n_wanted = n;
    send_away(purse);
}

bool permit_purse_take(struct permit_purse *purse, int64_t now_ms)
{
    if (!purse->n_idle) {
        permit_purse_want(purse, 1);
        return false;
    }
    purse->n_idle--;
    if (purse->n_least > purse->n_idle)
        purse->n_least = purse->n_idle;
    if (permit_scope_is_rate(purse->key.scope)) {
        purse->n_spent++;
        purse->last_spent_ms = now_ms;
    }
    return true;
}

void permit_purse_spend(struct permit_purse *purse, int64_t now_ms)
{
    purse->n_spent++;
    purse->last_spent_ms = now_ms;
    if (purse->is_closing)
        send_away(purse);
}

void permit_purse_put(struct permit_purse *purse)
{
    if (permit_scope_is_rate(purse->key.scope)) {
        if (!purse->n_spent)
            return; /* already told as spent: it comes back with the window */
        purse->n_spent--;
    }
    purse->n_idle++;
    if (purse->is_closing)
        give_all_back(purse);
}

void permit_purse_tick(struct permit_purse *purse, int64_t now_ms)
{
    if (now_ms >= purse->period_ends_ms) {
        purse->period_ends_ms = now_ms + PERIOD_MS;
        purse->n_unused += purse->n_least;
        purse->n_idle -= purse->n_least;
        purse->n_least = purse->n_idle;
    }
    send_away(purse);
}

void permit_purse_close(struct permit_purse *purse)
{
    purse->is_closing = true;
    give_all_back(purse);
}

bool permit_purse_is_settled(const struct permit_purse *purse)
{
    return purse->is_closing && !purse->is_away;
}
