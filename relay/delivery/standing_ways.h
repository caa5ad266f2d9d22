/* Operators' orders that lead mail to another pool of our addresses ("pool:NAME"): of a campaign, a
 * user, a destination, a provider (the first of these that says something), and of an address,
 * whose part the pool takes over wherever it was in one (egress_plan_lead()).  A pool that there is
 * not leads nowhere else.  (Another next hop is the router's.)
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* The name of the pool that the order leads to, or nothing. */
struct slice standing_way_pool(const struct order *order);

/* Orders or pools changed: what waits is led anew, a little in each turn, when that makes a
 * difference. */
void standing_ways_apply(struct delivery_shard *shard);
bool standing_ways_run(struct delivery_shard *shard); /* true: there is more */

/* schedule_hooks.pool_of */
uint32_t standing_ways_pool(void *owner, const struct entry *entry);
