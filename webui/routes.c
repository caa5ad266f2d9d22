#include "webui/routes.h"

#include <string.h>

struct route {
    enum http_method method;
    const char *path; /* {}: one argument, which may hold slashes */
    void (*run)(struct exchange *exchange);
    const char *query, *body; /* what may come: exchange_check_query(), exchange_check_body() */
};

#define API      "/api/v1"
#define NONE     ""
#define PASSWORD "password=any_text hash=text generate=flag"
#define USER     "name=text senders=texts networks=texts " PASSWORD
#define OPTIONS  "options=object senders=texts"
#define NETWORK  "network=text user=text"
#define SIGNING  "requires_signing=flag"
#define DOMAIN   "name=text " SIGNING
#define KEY      "domain=text selector=text type=text pem=text"
#define FILTER   "state user from dest limit cursor"
#define SELECTION                                                                                  \
    "ids=texts dest=text user=text from=any_text campaign=text all=flag dry_run=flag reason=text"
#define SUSPENSION "reason=text for_seconds=number"
#define WHICH      "order=text"
#define WAY        SUSPENSION " via=text"
#define SLOWLY                                                                                     \
    SUSPENSION " connections=number messages_per_second=number messages_per_minute=number "        \
               "messages_per_hour=number messages_per_day=number"

static const struct route routes[] = {
    {HTTP_GET,    "/healthz",                      api_ready,               NONE,        NONE      },
    {HTTP_GET,    "/readyz",                       api_ready,               NONE,        NONE      },
    {HTTP_GET,    API "/health",                   api_health,              NONE,        NONE      },
    {HTTP_GET,    API "/version",                  api_version,             NONE,        NONE      },
    {HTTP_GET,    API "/config",                   api_config,              NONE,        NONE      },
    {HTTP_GET,    API "/users",                    api_users_list,          NONE,        NONE      },
    {HTTP_POST,   API "/users",                    api_users_add,           NONE,        USER      },
    {HTTP_POST,   API "/users/{}:enable",          api_user_enable,         NONE,        NONE      },
    {HTTP_POST,   API "/users/{}:disable",         api_user_disable,        NONE,        NONE      },
    {HTTP_POST,   API "/users/{}:password",        api_user_password,       NONE,        PASSWORD  },
    {HTTP_POST,   API "/users/{}:options",         api_user_options,        NONE,        OPTIONS   },
    {HTTP_GET,    API "/users/{}",                 api_user_show,           NONE,        NONE      },
    {HTTP_DELETE, API "/users/{}",                 api_user_delete,         NONE,        NONE      },
    {HTTP_GET,    API "/campaigns",                api_campaigns,           NONE,        NONE      },
    {HTTP_GET,    API "/networks",                 api_networks_list,       NONE,        NONE      },
    {HTTP_POST,   API "/networks",                 api_networks_add,        NONE,        NETWORK   },
    {HTTP_DELETE, API "/networks/{}",              api_networks_delete,     NONE,        NONE      },
    {HTTP_GET,    API "/domains",                  api_domains_list,        NONE,        NONE      },
    {HTTP_POST,   API "/domains",                  api_domains_add,         NONE,        DOMAIN    },
    {HTTP_POST,   API "/domains/{}:check",         api_domain_check,        NONE,        NONE      },
    {HTTP_POST,   API "/domains/{}:options",       api_domain_options,      NONE,        SIGNING   },
    {HTTP_GET,    API "/domains/{}",               api_domain_show,         NONE,        NONE      },
    {HTTP_DELETE, API "/domains/{}",               api_domain_delete,       NONE,        NONE      },
    {HTTP_GET,    API "/dkim",                     api_dkim_list,           NONE,        NONE      },
    {HTTP_POST,   API "/dkim",                     api_dkim_new,            NONE,        KEY       },
    {HTTP_GET,    API "/dkim/{}",                  api_dkim_dns,            "selector",  NONE      },
    {HTTP_GET,    API "/queue",                    api_queue_list,          FILTER,      NONE      },
    {HTTP_GET,    API "/queue/summary",            api_queue_summary,       NONE,        NONE      },
    {HTTP_GET,    API "/queue/why",                api_queue_why,           "id domain", NONE      },
    {HTTP_GET,    API "/messages/{}/why",          api_message_why,         NONE,        NONE      },
    {HTTP_GET,    API "/destinations/{}/why",      api_destination_why,     NONE,        NONE      },
    {HTTP_GET,    API "/queue/{}",                 api_queue_show,          NONE,        NONE      },
    {HTTP_POST,   API "/queue:{}",                 api_queue_command,       NONE,        SELECTION },
    {HTTP_GET,    API "/destinations",             api_destinations_list,   "name",      NONE      },
    {HTTP_POST,   API "/destinations/{}:suspend",  api_destination_suspend, NONE,        SUSPENSION},
    {HTTP_POST,   API "/destinations/{}:throttle", api_destination_slow,    NONE,        SLOWLY    },
    {HTTP_POST,   API "/destinations/{}:reroute",  api_destination_move,    NONE,        WAY       },
    {HTTP_POST,   API "/destinations/{}:resume",   api_destination_resume,  NONE,        WHICH     },
    {HTTP_GET,    API "/stats/bounces",            api_stats_bounces,       "by",        NONE      },
    {HTTP_GET,    API "/suspensions",              api_orders_list,         NONE,        NONE      },
    {HTTP_DELETE, API "/suspensions/{}",           api_order_delete,        "order",     NONE      },
};

enum { N_ROUTES = sizeof(routes) / sizeof(routes[0]) };

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

bool routes_is_open(const char *path)
{
    return strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0;
}

static void run(const struct route *route, struct exchange *exchange)
{
    if (!exchange->is_local && !routes_is_open(route->path))
        exchange_problem(exchange, 401, "not_signed_in", "Sign in first.");
    else if (exchange_check_query(exchange, route->query) &&
             exchange_check_body(exchange, route->body))
        route->run(exchange);
}

/* RFC 9110 15.5.6: the answer names the methods that would do.  In order of N_HTTP_METHODS bits. */
static const char *allow_of(unsigned methods)
{
    static const char *const texts[1U << N_HTTP_METHODS] = {
        NULL,     "GET",         "POST",         "GET, POST",
        "DELETE", "GET, DELETE", "POST, DELETE", "GET, POST, DELETE"};

    return texts[methods];
}

void routes_dispatch(struct exchange *exchange)
{
    struct slice path = slice_of(exchange->path), argument;
    unsigned methods = 0;

    for (size_t i = 0; i < N_ROUTES; i++) {
        argument = (struct slice){0};
        if (!matches(routes[i].path, path, &argument))
            continue;
        if (routes[i].method == exchange->method) {
            exchange->argument = argument;
            run(&routes[i], exchange);
            return;
        }
        methods |= 1U << routes[i].method;
    }
    exchange->allow = allow_of(methods);
    if (methods)
        exchange_problem(exchange, 405, "method_not_allowed", "This path has no such method.");
    else
        exchange_problem(exchange, 404, "no_such_path", "There is nothing at this path.");
}
