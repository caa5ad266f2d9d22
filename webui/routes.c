#include "webui/routes.h"

struct route {
    enum http_method method;
    const char *path; /* {}: one argument; without a slash unless it ends the path */
    void (*run)(struct exchange *exchange);
    bool is_open; /* without a login: tells nothing that could be misused */
};

#define API "/api/v1"

static const struct route routes[] = {
    {HTTP_GET,    "/healthz",                     api_ready,               true },
    {HTTP_GET,    "/readyz",                      api_ready,               true },
    {HTTP_GET,    API "/health",                  api_health,              false},
    {HTTP_GET,    API "/version",                 api_version,             false},
    {HTTP_GET,    API "/config",                  api_config,              false},
    {HTTP_GET,    API "/users",                   api_users_list,          false},
    {HTTP_POST,   API "/users",                   api_users_add,           false},
    {HTTP_POST,   API "/users/{}:enable",         api_user_enable,         false},
    {HTTP_POST,   API "/users/{}:disable",        api_user_disable,        false},
    {HTTP_POST,   API "/users/{}:password",       api_user_password,       false},
    {HTTP_POST,   API "/users/{}:options",        api_user_options,        false},
    {HTTP_GET,    API "/users/{}",                api_user_show,           false},
    {HTTP_DELETE, API "/users/{}",                api_user_delete,         false},
    {HTTP_GET,    API "/networks",                api_networks_list,       false},
    {HTTP_POST,   API "/networks",                api_networks_add,        false},
    {HTTP_DELETE, API "/networks/{}",             api_networks_delete,     false},
    {HTTP_GET,    API "/domains",                 api_domains_list,        false},
    {HTTP_POST,   API "/domains",                 api_domains_add,         false},
    {HTTP_POST,   API "/domains/{}:check",        api_domain_check,        false},
    {HTTP_POST,   API "/domains/{}:options",      api_domain_options,      false},
    {HTTP_GET,    API "/domains/{}",              api_domain_show,         false},
    {HTTP_DELETE, API "/domains/{}",              api_domain_delete,       false},
    {HTTP_GET,    API "/dkim",                    api_dkim_list,           false},
    {HTTP_POST,   API "/dkim",                    api_dkim_new,            false},
    {HTTP_GET,    API "/dkim/{}",                 api_dkim_dns,            false},
    {HTTP_GET,    API "/queue",                   api_queue_list,          false},
    {HTTP_GET,    API "/queue/summary",           api_queue_summary,       false},
    {HTTP_GET,    API "/queue/why",               api_queue_why,           false},
    {HTTP_GET,    API "/queue/{}",                api_queue_show,          false},
    {HTTP_POST,   API "/queue:{}",                api_queue_command,       false},
    {HTTP_GET,    API "/destinations",            api_destinations_list,   false},
    {HTTP_POST,   API "/destinations/{}:suspend", api_destination_suspend, false},
    {HTTP_POST,   API "/destinations/{}:resume",  api_destination_resume,  false},
    {HTTP_GET,    API "/suppressions",            api_suppressions_list,   false},
    {HTTP_POST,   API "/suppressions",            api_suppressions_add,    false},
    {HTTP_DELETE, API "/suppressions/{}",         api_suppressions_delete, false},
};

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

void routes_dispatch(struct exchange *exchange)
{
    struct slice path = slice_of(exchange->path);
    bool is_known_path = false;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct route *route = &routes[i];

        if (!matches(route->path, path, &exchange->argument))
            continue;
        is_known_path = true;
        if (route->method != exchange->method)
            continue;
        if (route->is_open || exchange->is_local)
            route->run(exchange);
        else
            exchange_problem(exchange, 401, "not_signed_in", "Sign in first.");
        return;
    }
    if (is_known_path)
        exchange_problem(exchange, 405, "method_not_allowed", "This path has no such method.");
    else
        exchange_problem(exchange, 404, "no_such_path", "There is nothing at this path.");
}
