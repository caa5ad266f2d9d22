#include "webui/routes.h"

#include <string.h>

#include "webui/audit.h"
#include "webui/guard.h"
#include "webui/repeats.h"
#include "webui/state.h"

static const struct route_table *const tables[] = {&mail_routes, &data_routes, &access_routes};

const struct route_table *routes_table(size_t i)
{
    return i < sizeof(tables) / sizeof(tables[0]) ? tables[i] : NULL;
}

/* Whether path is like pattern; *argument is what stands for {}. */
static bool matches(const char *pattern, struct slice path, struct slice *argument)
{
    ptrdiff_t hole = slice_search(slice_of(pattern), SLICE_LITERAL("{}"));
    struct slice head, tail;

    if (hole < 0)
        return slice_equal(slice_of(pattern), path);
    head = slice_from(pattern, (size_t)hole);
    tail = slice_of(pattern + hole + 2);
    if (path.len <= head.len + tail.len || !slice_starts_with(path, head) ||
        !slice_equal(slice_skip(path, path.len - tail.len), tail))
        return false;
    *argument = slice_head(slice_skip(path, head.len), path.len - head.len - tail.len);
    return true;
}

/* RFC 9110 15.5.6: the answer names the methods that would do.  In order of N_HTTP_METHODS bits. */
static const char *allow_of(unsigned methods)
{
    static const char *const texts[1U << N_HTTP_METHODS] = {
        NULL,     "GET, HEAD",         "POST",         "GET, HEAD, POST",
        "DELETE", "GET, HEAD, DELETE", "POST, DELETE", "GET, HEAD, POST, DELETE"};

    return texts[methods];
}

/* The row for the exchange's method and path; *methods are those that the path has at all. */
static const struct route *find(struct exchange *exchange, unsigned *methods)
{
    struct slice path = slice_of(exchange->path);
    const struct route_table *table;

    for (size_t t = 0; (table = routes_table(t)); t++)
        for (size_t i = 0; i < table->n_routes; i++) {
            const struct route *route = &table->routes[i];
            struct slice argument = {0};

            if (!matches(route->path, path, &argument))
                continue;
            *methods |= 1U << route->method;
            if (route->method == exchange->method) {
                exchange->argument = argument;
                return route;
            }
        }
    return NULL;
}

static void refuse_path(struct exchange *exchange, unsigned methods)
{
    exchange->allow = allow_of(methods);
    if (methods)
        exchange_problem(exchange, 405, "method_not_allowed", "This path has no such method.");
    else
        exchange_problem(exchange, 404, "no_such_path", "There is nothing at this path.");
}

bool routes_admit(struct exchange *exchange)
{
    unsigned methods = 0;

    exchange->route = find(exchange, &methods);
    if (!guard_admit(exchange, exchange->route))
        return false;
    if (!exchange->route)
        refuse_path(exchange, methods);
    return exchange->route != NULL;
}

/* The guard let the header in; the body may have come half a minute later. */
static bool is_still_admitted(struct exchange *exchange)
{
    if (exchange->is_local || exchange->route->who == FOR_ANYBODY ||
        guard_still_admits(exchange->webui, &exchange->caller))
        return true;
    exchange_problem(exchange, 401, "not_signed_in", "Sign in first.");
    return false;
}

void routes_dispatch(struct exchange *exchange)
{
    if (!exchange->route && !routes_admit(exchange))
        return;
    if (!is_still_admitted(exchange))
        return;
    if (!exchange_check_query(exchange, exchange->route->query) ||
        !exchange_check_body(exchange, exchange->route->body))
        return;
    if (!repeats_begin(exchange) || !state_judge(exchange))
        return;
    audit_begin(exchange);
    exchange->route->run(exchange);
}
