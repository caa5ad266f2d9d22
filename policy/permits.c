/* The policy thread's side: budgets, and purses that wait for permits.  The loops' side is
 * permit_purse.c, the counting permit_book.c. */
#include "policy/permits.h"

#include <errno.h>

#include "policy/orders.h"
#include "policy/pace_book.h"
#include "policy/permit_purse.h"
#include "policy/policy_internal.h"
#include "relay/base/secret.h"

enum { GIVE_UP_MS = 1000, RATE_WINDOW_MS = 1000 };

struct budget {
    struct permit_budget book; /* first */
    struct pace_book *paces;   /* instead of it, of what is a pace; else NULL */
    uint64_t version;          /* of the directory that it was last found in */
    enum permit_scope scope;
    bool has_own_limit;
    struct permit_purse *first, **last; /* purses that wait, in order of arrival */
    struct due due;                     /* when spent permits come back, or the first gives up */
};

static const struct scope {
    int64_t window_ms; /* 0: concurrent */
    size_t limit;      /* offset of the limit in the settings */
} scopes[N_PERMIT_SCOPES] = {
    [PERMIT_OUTBOUND] = {0,              offsetof(struct policy_settings, outbound_connections)  },
    [PERMIT_EGRESS] = {0,              offsetof(struct policy_settings, connections_per_egress)},
    [PERMIT_EGRESS_RATE] = {RATE_WINDOW_MS, offsetof(struct policy_settings, connects_per_egress)   },
};

static bool is_pace(enum permit_scope scope)
{
    return scope == PERMIT_SENDER;
}

bool permit_scope_is_rate(enum permit_scope scope)
{
    return scopes[scope].window_ms != 0;
}

uint64_t permit_id_of(struct slice name)
{
    return table_hash_ignoring_case(name);
}

uint64_t permit_id_of_order(const struct order *order)
{
    return table_hash_ignoring_case(order->name) + order->scope;
}

static uint32_t limit_of(const struct policy *policy, enum permit_scope scope)
{
    uint32_t limit;

    memcpy(&limit, (const char *)&policy->settings + scopes[scope].limit, sizeof(limit));
    return limit;
}

static uint64_t table_key(struct permit_key key)
{
    return (key.id ^ ((uint64_t)key.scope << 56)) * UINT64_C(0xff51afd7ed558ccd);
}

static struct budget *budget_of_entry(struct key_entry *entry)
{
    return (struct budget *)(void *)CONTAINER_OF(entry, struct permit_budget, entry);
}

/* ---- answers ---- */

static void answer(struct permit_purse *purse)
{
    purse->task.run = permit_purse_come_home;
    mailbox_answer(purse->home, &purse->task);
}

static struct permit_purse *take_first(struct budget *budget)
{
    struct permit_purse *purse = budget->first;

    budget->first = purse->sent.next;
    if (!budget->first)
        budget->last = &budget->first;
    return purse;
}

static uint32_t lease(struct budget *budget, const struct permit_purse *purse, int64_t now_ms)
{
    return budget->paces
               ? pace_book_lease(budget->paces, purse->key.is_bulk, purse->sent.n_wanted, now_ms)
               : permit_budget_lease(&budget->book, purse->sent.n_wanted, now_ms);
}

/* When there may be something for who waits first. */
static int64_t next_of(const struct budget *budget, int64_t now_ms)
{
    return budget->paces ? pace_book_next_ms(budget->paces, budget->first->key.is_bulk, now_ms)
                         : permit_budget_next_ms(&budget->book);
}

/* It waited long enough, or there is no use in waiting. */
static bool gives_up(const struct budget *budget, struct permit_purse *purse, int64_t now_ms)
{
    if (budget->paces)
        purse->sent.again_ms = next_of(budget, now_ms);
    return purse->sent.give_up_ms <= now_ms || purse->sent.again_ms > purse->sent.give_up_ms;
}

/* Grants while there is something, gives up what waited long enough, and sets the clock. */
static void serve(struct policy *policy, struct budget *budget, int64_t now_ms)
{
    int64_t next_ms;

    while (budget->first) {
        struct permit_purse *purse = budget->first;

        purse->sent.n_granted = lease(budget, purse, now_ms);
        if (!purse->sent.n_granted && !gives_up(budget, purse, now_ms))
            break;
        answer(take_first(budget));
    }
    policy_cancel_due(policy, &budget->due);
    if (!budget->first)
        return;
    next_ms = next_of(budget, now_ms);
    if (budget->first->sent.give_up_ms < next_ms)
        next_ms = budget->first->sent.give_up_ms;
    if (policy_set_due(policy, &budget->due, next_ms) != 0)
        while (budget->first)
            answer(take_first(budget));
}

static void fire(struct policy *policy, struct due *due)
{
    serve(policy, CONTAINER_OF(due, struct budget, due), clock_monotonic_ms());
}

/* ---- budgets ---- */

static void free_budget(struct budget *budget)
{
    free(budget->paces);
    free(budget);
}

static struct budget *make_budget(const struct policy *policy, struct permit_key key)
{
    struct budget *budget = calloc(1, sizeof(*budget));

    if (!budget)
        return NULL;
    budget->book.entry.key = table_key(key);
    budget->scope = key.scope;
    budget->last = &budget->first;
    budget->due.fire = fire;
    if (!is_pace(key.scope)) {
        budget->book.limit = limit_of(policy, key.scope);
        budget->book.window_ms = scopes[key.scope].window_ms;
        return budget;
    }
    budget->paces = malloc(sizeof(*budget->paces));
    if (!budget->paces) {
        free(budget);
        return NULL;
    }
    pace_book_init(budget->paces);
    return budget;
}

static struct budget *budget_of(struct policy *policy, struct permit_key key)
{
    struct key_entry *entry = key_table_find(&policy->budgets, table_key(key));
    struct budget *budget;

    if (entry)
        return budget_of_entry(entry);
    budget = make_budget(policy, key);
    if (budget && key_table_add(&policy->budgets, &budget->book.entry) != 0) {
        free_budget(budget);
        return NULL;
    }
    return budget;
}

static void take_back(struct budget *budget, const struct permit_purse *purse, int64_t now_ms)
{
    if (budget->paces)
        pace_book_return(budget->paces, purse->key.is_bulk, purse->sent.n_unused,
                         purse->sent.n_spent, purse->sent.last_spent_ms, now_ms);
    else
        permit_budget_return(&budget->book, purse->sent.n_unused, purse->sent.n_spent,
                             purse->sent.last_spent_ms, now_ms);
}

/* In order of arrival, but urgent mail before bulk. */
static void stand_in_line(struct budget *budget, struct permit_purse *purse)
{
    struct permit_purse **place = budget->last;

    if (!purse->key.is_bulk)
        for (place = &budget->first; *place && !(*place)->key.is_bulk;)
            place = &(*place)->sent.next;
    purse->sent.next = *place;
    *place = purse;
    if (place == budget->last)
        budget->last = &purse->sent.next;
}

/* What a purse gives back, and what it wants. */
void permits_exchange(struct task *task)
{
    struct permit_purse *purse = (struct permit_purse *)(void *)task;
    struct policy *policy = purse->policy;
    struct budget *budget = budget_of(policy, purse->key);
    int64_t now_ms = clock_monotonic_ms();

    purse->sent.n_granted = 0;
    purse->sent.again_ms = 0;
    purse->sent.next = NULL;
    purse->sent.give_up_ms = policy->is_stopping ? now_ms : now_ms + GIVE_UP_MS;
    if (!budget) {
        answer(purse); /* it holds nothing: whoever held a permit has a budget */
        return;
    }
    take_back(budget, purse, now_ms);
    if (purse->sent.n_wanted)
        stand_in_line(budget, purse);
    else
        answer(purse);
    serve(policy, budget, now_ms);
}

/* ---- limits ---- */

static void for_each_budget(struct policy *policy,
                            void (*visit)(struct policy *policy, struct budget *budget))
{
    struct key_table *budgets = &policy->budgets;

    for (uint32_t i = 0; i < budgets->n_buckets; i++)
        for (struct key_entry *entry = budgets->buckets[i]; entry; entry = entry->next)
            visit(policy, budget_of_entry(entry));
}

static void apply_limit(struct policy *policy, struct budget *budget)
{
    if (!budget->has_own_limit && !budget->paces)
        budget->book.limit = limit_of(policy, budget->scope);
    serve(policy, budget, clock_monotonic_ms());
}

void permits_apply_settings(struct policy *policy)
{
    for_each_budget(policy, apply_limit);
}

struct limit_message {
    struct task task;
    struct policy *policy;
    struct permit_key key;
    uint32_t limit;
};

static void run_set_limit(struct task *task)
{
    struct limit_message *message = (struct limit_message *)(void *)task;
    struct budget *budget = budget_of(message->policy, message->key);

    if (budget) {
        budget->book.limit = message->limit;
        budget->has_own_limit = true;
        serve(message->policy, budget, clock_monotonic_ms());
    }
    free(message);
}

int permits_set_limit(struct policy *policy, struct permit_key key, uint32_t limit)
{
    struct limit_message *message = calloc(1, sizeof(*message));

    if (!message)
        return FAULT(-ENOMEM);
    *message = (struct limit_message){{.run = run_set_limit}, policy, key, limit};
    mailbox_answer(policy->mailbox, &message->task);
    return 0;
}

/* ---- operators' throttles of users and campaigns ---- */

static void set_paces(struct policy *policy, const struct order *order)
{
    const struct order_limits *said = &order->limits;
    struct pace_limits limits = {
        {said->messages_per_second, said->messages_per_minute, said->messages_per_hour,
         said->messages_per_day}
    };
    struct permit_key key = {PERMIT_SENDER, permit_id_of_order(order), false};
    struct budget *budget = budget_of(policy, key);
    int64_t now_ms = clock_monotonic_ms();

    if (!budget)
        return; /* nothing is granted: it stands still until there is memory */
    budget->version = policy->directory->version;
    pace_book_set_limits(budget->paces, &limits, now_ms);
    serve(policy, budget, now_ms);
}

static bool is_over(const struct policy *policy, const struct budget *budget)
{
    return budget->paces && budget->version != policy->directory->version && !budget->first &&
           pace_book_is_past(budget->paces, clock_monotonic_ms());
}

/* Of orders that ended, what was used of their paces stands until it is past. */
static void forget_past(struct policy *policy)
{
    struct key_table *budgets = &policy->budgets;

    for (uint32_t i = 0; i < budgets->n_buckets; i++)
        for (struct key_entry *entry = budgets->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            if (!is_over(policy, budget_of_entry(entry)))
                continue;
            key_table_remove(budgets, entry);
            free_budget(budget_of_entry(entry));
        }
}

void permits_directory_changed(struct policy *policy)
{
    const struct directory *directory = policy->directory;

    for (uint32_t i = 0; i < directory->n_orders; i++)
        if (directory->orders[i].action == ORDER_THROTTLE &&
            (directory->orders[i].scope == ORDER_OF_USER ||
             directory->orders[i].scope == ORDER_OF_CAMPAIGN))
            set_paces(policy, &directory->orders[i]);
    forget_past(policy);
}

/* ---- the end ---- */

static void give_up(struct policy *policy, struct budget *budget)
{
    policy_cancel_due(policy, &budget->due);
    while (budget->first)
        answer(take_first(budget));
}

void permits_stop(struct policy *policy)
{
    for_each_budget(policy, give_up);
}

void permits_fini(struct policy *policy)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&policy->budgets)))
        free_budget(budget_of_entry(entry));
    key_table_fini(&policy->budgets);
}
