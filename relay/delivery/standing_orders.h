/* Operators' orders as this loop obeys them: when a snapshot brings them, when one's time is over,
 * and when something they are about turns up.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* The directory changed: orders of the former (NULL: none) end, those of the present begin. */
void standing_orders_apply(struct delivery_shard *shard, const struct directory *former);

/* Ends what ended by itself; a few times a second. */
void standing_orders_tick(struct delivery_shard *shard);

/* A site was made, or has another provider. */
void standing_orders_meet_site(struct delivery_shard *shard, struct site *site);

/* schedule_route(), and what is ordered of the domain goes with it: its throttle begins at the site
 * (NULL: another loop's) and ends at those it led to before. */
void standing_orders_route(struct delivery_shard *shard, struct domain *domain, struct site *site,
                           int64_t fresh_until_ms);

/* schedule_hooks.may_use: what is ordered of the lane's address holds for the lane. */
bool standing_orders_may_use(void *owner, struct lane *lane);
