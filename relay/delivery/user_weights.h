/* What each user's share of a destination weighs (`user limit NAME weight=3`), from the registry's
 * snapshot to the schedule.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

uint32_t user_weights_of(void *owner, uint32_t user_id); /* schedule_hooks.weight_of */

/* shard->directory replaced former (NULL: none). */
void user_weights_apply(struct delivery_shard *shard, const struct directory *former);
