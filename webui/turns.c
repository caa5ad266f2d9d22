#include "webui/turns.h"

void turns_init(struct webui *webui)
{
    list_init(&webui->searches);
    list_init(&webui->tables);
    list_init(&webui->messages);
}

static bool is_same(const struct caller *a, const struct caller *b)
{
    return a->token_id == b->token_id && account_equal(a->account, b->account);
}

static bool take(struct exchange *exchange, struct list *turns, unsigned n, unsigned most)
{
    if (n >= most) {
        exchange->retry_after_s = 1;
        exchange_problem(exchange, 429, "too_many_at_once",
                         "Others of these requests are still being answered.");
        return false;
    }
    list_append(turns, &exchange->turn);
    return true;
}

bool turn_of_all(struct exchange *exchange, struct list *turns, unsigned most)
{
    unsigned n = 0;

    LIST_FOR_EACH(links, turns)
    {
        n++;
    }
    return take(exchange, turns, n, most);
}

bool turn_of_account(struct exchange *exchange, struct list *turns, unsigned most)
{
    unsigned n = 0;

    LIST_FOR_EACH(links, turns)
    {
        n += is_same(&CONTAINER_OF(links, struct exchange, turn)->caller, &exchange->caller);
    }
    return take(exchange, turns, n, most);
}

void turn_end(struct exchange *exchange)
{
    if (exchange->turn.next)
        list_remove(&exchange->turn);
}
