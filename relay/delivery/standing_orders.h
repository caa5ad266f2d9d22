/* Operators' orders as this loop obeys them: when a snapshot brings them, when one's time is over,
 * and when something they are about turns up.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* The directory changed: orders of the former (NULL: none) end, those of the present begin. */
void standing_orders_apply(struct delivery_shard *shard, const struct directory *former);

/* Ends what ended by itself; a few times a second. */
void standing_orders_tick(struct delivery_shard *shard);

/* A site was made, or has another provider; a domain leads to one of our sites. */
void standing_orders_meet_site(struct delivery_shard *shard, struct site *site);
void standing_orders_meet_domain(struct delivery_shard *shard, struct domain *domain);

/* schedule_hooks.may_use: what is ordered of the lane's address holds for the lane. */
bool standing_orders_may_use(void *owner, struct lane *lane);
