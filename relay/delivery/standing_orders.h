/* Operators' orders as this loop obeys them: when a snapshot brings them, when one's time is over,
 * and when something they are about turns up.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* The directory changed: orders of the former (NULL: none) end, those of the present begin. */
void standing_orders_apply(struct delivery_shard *shard, const struct directory *former);

/* Ends what ended by itself; a few times a second. */
void standing_orders_tick(struct delivery_shard *shard);
