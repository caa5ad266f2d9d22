/* Turns in the paces that operators set for users and campaigns, leased from the policy thread
 * (policy/permits.h), so that a pace holds over all loops together.
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

struct halt_turns;

/* Those of the order, found or made, until sender_turns_end(); NULL without memory or without a
 * policy thread: then the loop counts alone. */
struct halt_turns *sender_turns_of(struct delivery_shard *shard, const struct order *order);

/* No order of that name stands any more (nothing happens if none did); the schedule knows. */
void sender_turns_end(struct delivery_shard *shard, const struct order *order);

void sender_turns_tick(struct delivery_shard *shard);       /* what nobody used goes back */
bool sender_turns_rest(const struct delivery_shard *shard); /* it needs no tick */
void sender_turns_fini(struct delivery_shard *shard);
