/* What the two files of a shard share: shard.c (its turns), shard_life.c.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

enum { SHARD_TICK_MS = 250 };

void shard_pump(struct later *later);
void shard_on_wake(struct timer *timer);
void shard_on_tick(struct timer *timer);
void shard_on_signer(void *owner, bool is_up);
void shard_on_directory(struct directory_subscriber *subscriber, struct directory *directory);
