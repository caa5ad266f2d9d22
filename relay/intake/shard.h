/* The intake of one loop: its listeners and sessions, and the snapshot of users they go by.
 * Thread: the loop's; private to relay/intake. */
#pragma once

#include "relay/base/list.h"
#include "relay/intake/intake_config.h"
#include "relay/intake/message_memory.h"

struct intake_shard {
    struct intake *intake;
    struct loop *loop;
    const struct intake_parts *parts;
    struct message_memory *memory; /* shared by all shards */
    struct intake_config *config;
    struct list listeners;       /* struct door */
    struct list sessions;        /* struct session */
    struct directory *directory; /* NULL until the first snapshot */
    struct directory_subscriber subscriber;
    struct intake_drain *drain; /* set while draining */
    struct timer drain_timer;
    _Atomic unsigned n_accepting;
};

void intake_shard_init(struct intake_shard *shard, struct intake *intake, struct loop *loop,
                       const struct intake_parts *parts, struct message_memory *memory);
void intake_shard_fini(struct intake_shard *shard);

/* Takes the reference. */
void intake_shard_apply(struct intake_shard *shard, struct intake_config *config);
void intake_shard_drain(struct intake_shard *shard, struct intake_drain *drain);

/* A session is gone: the last one ends a drain. */
void intake_shard_session_ended(struct intake_shard *shard);
