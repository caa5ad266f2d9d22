/* The verbs, one file per noun.  Each returns an exit code.  Thread: main; private to relay/cli. */
#pragma once

struct options;

int config_check_main(struct options *options);
int config_show_main(struct options *options);
int config_built_in(struct options *options);
int user_add(struct options *options);
int user_list(struct options *options);
int user_show(struct options *options);
int user_password(struct options *options);
int user_enable(struct options *options);
int user_disable(struct options *options);
int user_delete(struct options *options);
int user_limit(struct options *options);
int campaign_list(struct options *options);
int network_add(struct options *options);
int network_list(struct options *options);
int network_delete(struct options *options);
int domain_add(struct options *options);
int domain_list(struct options *options);
int domain_check(struct options *options);
int domain_delete(struct options *options);
int dkim_new(struct options *options);
int dkim_dns(struct options *options);
int dkim_list(struct options *options);
int queue_list(struct options *options);
int queue_show(struct options *options);
int queue_summary(struct options *options);
int queue_why(struct options *options);
int queue_rebuild(struct options *options);
int queue_retry(struct options *options);
int queue_hold(struct options *options);
int queue_release(struct options *options);
int queue_requeue(struct options *options);
int queue_bounce(struct options *options);
int queue_delete(struct options *options);
int destination_list(struct options *options);
int destination_show(struct options *options);
int destination_suspend(struct options *options);
int destination_slow(struct options *options);
int destination_move(struct options *options);
int destination_resume(struct options *options);
int destination_orders(struct options *options);
int stats(struct options *options);
int test_shaping(struct options *options);
int health(struct options *options);
int version(struct options *options);
