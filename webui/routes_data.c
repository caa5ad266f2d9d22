/* What became of mail, how much of it, what is being told: history, counters, log, streams. */
#include "webui/route.h"
#include "webui/routes.h"

#define LIST  "filter cursor limit from to"
#define STATS "metric by range from to step"

static const struct route routes[] = {
    GET(API "/overview", api_overview, VIEWER, "stats:read", NONE),
    GET(API "/stats", api_series, VIEWER, "stats:read", STATS),
    GET(API "/stats.csv", api_series_csv, VIEWER, "stats:read", STATS),
    GET(API "/deliveries", api_deliveries, VIEWER, "history:read", LIST),
    GET(API "/deliveries.csv", api_deliveries_csv, VIEWER, "history:read", "filter from to"),
    GET(API "/me/stats", api_my_series, SENDER, NULL, "metric range from to step"),
    GET(API "/me/deliveries", api_my_deliveries, SENDER, NULL, LIST),
    GET(API "/me/queue", api_my_queue, SENDER, NULL, "filter cursor limit recipients"),
    GET(API "/logs", api_logs, VIEWER, "history:read", "level text event from cursor limit"),
    GET(API "/events", api_events, SIGNED_IN, "history:read", "topics level event text"),
    POST(API "/queue/actions", api_queue_actions, OPERATOR, "queue:write",
         "filter=any_text ids=texts verb=text reason=any_text silent=flag dry_run=flag"),
    POST(API "/jobs/{}:undo", api_job_undo, OPERATOR, "queue:write", NONE),
    GET(API "/jobs/{}", api_job_show, VIEWER, "queue:read", NONE),
    DELETE(API "/jobs/{}", api_job_cancel, OPERATOR, "queue:write", NONE),
    POST(API "/diagnostics/path", api_path_test, OPERATOR, "destinations:write",
         "address=text domain=text egress=text"),
    CONFIRMED_GET(API "/messages/{}/raw", api_message_raw, ADMIN, NULL, NONE),
    GET(API "/messages/{}", api_message, VIEWER, "history:read", NONE),
};

const struct route_table data_routes = {routes, sizeof(routes) / sizeof(routes[0])};
