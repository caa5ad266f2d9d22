/* Method and path to handler: one table.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* Finds the route and runs it; answers 404 or 405 itself.  The exchange is answered when this
 * returns, or will be. */
void routes_dispatch(struct exchange *exchange);

/* Whether path may be asked for without a login: it tells nothing that could be misused. */
bool routes_is_open(const char *path);

/* api_service.c */
void api_health(struct exchange *exchange);
void api_ready(struct exchange *exchange);
void api_version(struct exchange *exchange);
void api_config(struct exchange *exchange);

/* api_openapi.c */
void api_openapi(struct exchange *exchange);

/* api_users.c */
void api_users_list(struct exchange *exchange);
void api_users_add(struct exchange *exchange);
void api_user_show(struct exchange *exchange);
void api_user_delete(struct exchange *exchange);
void api_user_enable(struct exchange *exchange);
void api_user_disable(struct exchange *exchange);
void api_user_password(struct exchange *exchange);
void api_user_options(struct exchange *exchange);

/* api_networks.c */
void api_campaigns(struct exchange *exchange);
void api_networks_list(struct exchange *exchange);
void api_networks_add(struct exchange *exchange);
void api_networks_delete(struct exchange *exchange);

/* api_domains.c, api_dkim.c */
void api_domains_list(struct exchange *exchange);
void api_domains_add(struct exchange *exchange);
void api_domain_show(struct exchange *exchange);
void api_domain_options(struct exchange *exchange);
void api_domain_delete(struct exchange *exchange);
void api_domain_check(struct exchange *exchange);
void api_dkim_list(struct exchange *exchange);
void api_dkim_new(struct exchange *exchange);
void api_dkim_dns(struct exchange *exchange);

/* api_queue.c, api_queue_command.c, api_summary.c, api_why.c */
void api_queue_list(struct exchange *exchange);
void api_queue_show(struct exchange *exchange);
void api_queue_summary(struct exchange *exchange);
void api_queue_why(struct exchange *exchange);
void api_message_why(struct exchange *exchange);
void api_destination_why(struct exchange *exchange);
void api_queue_command(struct exchange *exchange); /* {} is the verb */

/* api_stats.c */
void api_stats_bounces(struct exchange *exchange);

/* api_destinations.c */
void api_destinations_list(struct exchange *exchange);

/* api_overview.c, api_series.c, api_deliveries.c, api_logs.c, api_message.c, live.c */
void api_overview(struct exchange *exchange);
void api_series(struct exchange *exchange);
void api_series_csv(struct exchange *exchange);
void api_deliveries(struct exchange *exchange);
void api_deliveries_csv(struct exchange *exchange);
void api_logs(struct exchange *exchange);
void api_message(struct exchange *exchange);
void api_events(struct exchange *exchange);
/* Rows of one user only, whatever the query says. */
void api_series_of(struct exchange *exchange, struct slice user);
void api_deliveries_of(struct exchange *exchange, struct slice user);

/* api_orders.c */
void api_orders_list(struct exchange *exchange);
void api_order_delete(struct exchange *exchange);
void api_destination_suspend(struct exchange *exchange);
void api_destination_slow(struct exchange *exchange);
void api_destination_move(struct exchange *exchange);
void api_destination_resume(struct exchange *exchange);
