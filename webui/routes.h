/* Method and path to handler: one table.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* With the header at hand: finds the route and asks the guard; false after answering 401, 403, 404
 * and the like. */
bool routes_admit(struct exchange *exchange);

/* With the body: runs the route, after routes_admit() if nobody called it yet.  The exchange is
 * answered when this returns, or will be. */
void routes_dispatch(struct exchange *exchange);

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

/* api_campaigns.c */
void api_campaigns(struct exchange *exchange);

/* api_egress.c */
void api_egress(struct exchange *exchange);

/* api_networks.c */
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
void api_stats_personal(struct exchange *exchange);

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
void api_message_raw(struct exchange *exchange);
/* Rows of one user only, whatever the query says. */
void api_series_of(struct exchange *exchange, struct slice user);
void api_deliveries_of(struct exchange *exchange, struct slice user);
void api_queue_of(struct exchange *exchange, const struct user *user);
/* api_my_mail.c: of the SMTP user who asks. */
void api_my_series(struct exchange *exchange);
void api_my_deliveries(struct exchange *exchange);
void api_my_queue(struct exchange *exchange);

/* api_queue_search.c, jobs.c */
void api_queue_search(struct exchange *exchange);
void api_queue_actions(struct exchange *exchange);
void api_job_show(struct exchange *exchange);
void api_job_cancel(struct exchange *exchange);
void api_job_undo(struct exchange *exchange);

/* path_jobs.c */
void api_path_test(struct exchange *exchange);

/* api_orders.c */
void api_orders_list(struct exchange *exchange);
void api_order_delete(struct exchange *exchange);
void api_destination_suspend(struct exchange *exchange);
void api_destination_throttle(struct exchange *exchange);
void api_destination_reroute(struct exchange *exchange);
void api_destination_resume(struct exchange *exchange);

/* sign_in.c */
void api_session_show(struct exchange *exchange);
void api_session_new(struct exchange *exchange);
void api_session_delete(struct exchange *exchange);
void api_session_confirm(struct exchange *exchange);
void api_session_preferences(struct exchange *exchange);

/* setup.c */
void api_setup_show(struct exchange *exchange);
void api_setup(struct exchange *exchange);
void api_setup_code(struct exchange *exchange);

/* api_admins.c */
void api_admins_list(struct exchange *exchange);
void api_admins_add(struct exchange *exchange);
void api_admin_delete(struct exchange *exchange);
void api_admin_password(struct exchange *exchange);
void api_admin_role(struct exchange *exchange);
void api_admin_enable(struct exchange *exchange);
void api_admin_disable(struct exchange *exchange);
void api_admin_reset(struct exchange *exchange);

/* api_access.c */
void api_tokens_list(struct exchange *exchange);
void api_tokens_add(struct exchange *exchange);
void api_token_delete(struct exchange *exchange);
void api_sessions_list(struct exchange *exchange);
void api_sessions_delete(struct exchange *exchange);
void api_audit(struct exchange *exchange);

/* api_me.c */
void api_me(struct exchange *exchange);
void api_me_password(struct exchange *exchange);
void api_me_dns(struct exchange *exchange);
void api_me_setup_card(struct exchange *exchange);
void api_app_passwords_list(struct exchange *exchange);
void api_app_passwords_add(struct exchange *exchange);
void api_app_password_delete(struct exchange *exchange);

/* api_totp.c */
void api_totp_begin(struct exchange *exchange);
void api_totp_enable(struct exchange *exchange);
void api_totp_disable(struct exchange *exchange);

/* For the audit: what stands under that name, without secrets; NULL: nothing. */
json_t *audit_user(struct exchange *exchange, struct slice name);
json_t *audit_admin(struct exchange *exchange, struct slice name);
json_t *audit_domain(struct exchange *exchange, struct slice name);
json_t *audit_network(struct exchange *exchange, struct slice name);
json_t *audit_orders(struct exchange *exchange, struct slice name);
