/* Users, domains, queue, destinations and the service itself. */
#include "webui/route.h"
#include "webui/routes.h"

#define PASSWORD "password=any_text hash=text generate=flag"
#define USER     "name=text senders=texts networks=texts " PASSWORD
#define OPTIONS  "options=object senders=texts"
#define NETWORK  "network=text user=text"
#define SIGNING  "requires_signing=flag"
#define DOMAIN   "name=text " SIGNING
#define KEY      "domain=text selector=text type=text pem=text"
#define FILTER   "filter sort state user from dest limit cursor recipients"
#define SELECTION                                                                                  \
    "ids=texts dest=text user=text from=any_text campaign=text all=flag dry_run=flag reason=text"
#define SUSPENSION "reason=text for_seconds=number"
#define WHICH      "order=text"
#define WAY        SUSPENSION " via=text"
#define SLOWLY                                                                                     \
    SUSPENSION " connections=number messages_per_second=number messages_per_minute=number "        \
               "messages_per_hour=number messages_per_day=number"

static const struct route routes[] = {
    GET("/healthz", api_ready, ANYBODY, NULL, NONE),
    GET("/readyz", api_ready, ANYBODY, NULL, NONE),
    GET(API "/health", api_health, VIEWER, "service:read", NONE),
    GET(API "/version", api_version, VIEWER, "service:read", NONE),
    GET(API "/openapi.json", api_openapi, ANYBODY, NULL, NONE),
    GET(API "/config", api_config, VIEWER, "config:read", NONE),
    GET(API "/users", api_users_list, VIEWER, "users:read", NONE),
    POST(API "/users", api_users_add, ADMIN, "users:write", USER),
    POST(API "/users/{}:enable", api_user_enable, OPERATOR, "users:write", NONE),
    POST(API "/users/{}:disable", api_user_disable, OPERATOR, "users:write", NONE),
    POST(API "/users/{}:password", api_user_password, ADMIN, "users:write", PASSWORD),
    POST(API "/users/{}:options", api_user_options, ADMIN, "users:write", OPTIONS),
    GET(API "/users/{}", api_user_show, VIEWER, "users:read", NONE),
    DELETE(API "/users/{}", api_user_delete, ADMIN, "users:write", NONE),
    GET(API "/campaigns", api_campaigns, VIEWER, "stats:read", NONE),
    GET(API "/egress", api_egress, VIEWER, "destinations:read", NONE),
    GET(API "/networks", api_networks_list, VIEWER, "networks:read", NONE),
    POST(API "/networks", api_networks_add, ADMIN, "networks:write", NETWORK),
    DELETE(API "/networks/{}", api_networks_delete, ADMIN, "networks:write", NONE),
    GET(API "/domains", api_domains_list, VIEWER, "domains:read", NONE),
    POST(API "/domains", api_domains_add, ADMIN, "domains:write", DOMAIN),
    ASKING_POST(API "/domains/{}:check", api_domain_check, OPERATOR, "domains:read", NONE),
    POST(API "/domains/{}:options", api_domain_options, ADMIN, "domains:write", SIGNING),
    GET(API "/domains/{}", api_domain_show, VIEWER, "domains:read", NONE),
    CONFIRMED_DELETE(API "/domains/{}", api_domain_delete, ADMIN, "domains:write", NONE),
    GET(API "/dkim", api_dkim_list, VIEWER, "domains:read", NONE),
    CONFIRMED_POST(API "/dkim", api_dkim_new, ADMIN, "domains:write", KEY),
    GET(API "/dkim/{}", api_dkim_dns, VIEWER, "domains:read", "selector"),
    GET(API "/queue", api_queue_list, VIEWER, "queue:read", FILTER),
    GET(API "/queue/summary", api_queue_summary, VIEWER, "queue:read", NONE),
    GET(API "/queue/why", api_queue_why, VIEWER, "queue:read", "id domain"),
    GET(API "/messages/{}/why", api_message_why, VIEWER, "queue:read", NONE),
    GET(API "/destinations/{}/why", api_destination_why, VIEWER, "destinations:read", NONE),
    GET(API "/queue/{}", api_queue_show, VIEWER, "queue:read", NONE),
    POST(API "/queue:{}", api_queue_command, OPERATOR, "queue:write", SELECTION),
    GET(API "/destinations", api_destinations_list, VIEWER, "destinations:read", "name limit"),
    POST(API "/destinations/{}:suspend", api_destination_suspend, OPERATOR, "destinations:write",
         SUSPENSION),
    POST(API "/destinations/{}:throttle", api_destination_throttle, OPERATOR, "destinations:write",
         SLOWLY),
    POST(API "/destinations/{}:reroute", api_destination_reroute, OPERATOR, "destinations:write",
         WAY),
    POST(API "/destinations/{}:resume", api_destination_resume, OPERATOR, "destinations:write",
         WHICH),
    GET(API "/stats/bounces", api_stats_bounces, VIEWER, "stats:read", "by"),
    GET(API "/stats/personal", api_stats_personal, VIEWER, "stats:read", NONE),
    GET(API "/suspensions", api_orders_list, VIEWER, "destinations:read", NONE),
    DELETE(API "/suspensions/{}", api_order_delete, OPERATOR, "destinations:write", "order"),
};

const struct route_table mail_routes = {routes, sizeof(routes) / sizeof(routes[0])};
