/* An SMTP user's own counters, deliveries and waiting mail: the same lists as for administrators,
 * held to the rows of whoever asks. */
#include "webui/routes.h"

/* NULL after answering 404, when it went meanwhile. */
static const struct user *expect_user(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    const struct user *user = directory && exchange->caller.account.kind == ACCOUNT_USER
                                  ? directory_user_by_id(directory, exchange->caller.account.id)
                                  : NULL;

    if (!user)
        exchange_problem(exchange, 404, "not_found", "There is no such user.");
    return user;
}

/* The directory may change before the answer: the name is kept. */
static struct slice own_name(struct exchange *exchange)
{
    const struct user *user = expect_user(exchange);

    return user ? arena_copy(&exchange->arena, user->name) : (struct slice){NULL, 0};
}

void api_my_series(struct exchange *exchange)
{
    struct slice name = own_name(exchange);

    if (name.len)
        api_series_of(exchange, name);
}

void api_my_deliveries(struct exchange *exchange)
{
    struct slice name = own_name(exchange);

    if (name.len)
        api_deliveries_of(exchange, name);
}

void api_my_queue(struct exchange *exchange)
{
    const struct user *user = expect_user(exchange);

    if (user)
        api_queue_of(exchange, user);
}
