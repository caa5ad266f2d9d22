/* The intake of one loop: its listeners and sessions, and the snapshot of users they go by.
 * Thread: the loop's; private to relay/intake. */
#pragma once

#include "policy/tally.h"
#include "relay/base/list.h"
#include "relay/intake/intake_config.h"
#include "relay/intake/message_memory.h"
#include "relay/intake/peer_log.h"

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
    struct peer_log peer_log; /* what peers make us say */
    struct timer peer_log_window;
    struct tally tally; /* of what users without quotas send */
    struct timer tally_timer;
    _Atomic unsigned n_accepting;
};

void intake_shard_init(struct intake_shard *shard, struct intake *intake, struct loop *loop,
                       const struct intake_parts *parts, struct message_memory *memory);
void intake_shard_fini(struct intake_shard *shard);

enum { INTAKE_TALLY_MS = 250 };
void intake_tally_init(struct intake_shard *shard); /* quota.c */

/* Takes the reference. */
void intake_shard_apply(struct intake_shard *shard, struct intake_config *config);
void intake_shard_drain(struct intake_shard *shard, struct intake_drain *drain);

/* May this be said of this peer now?  Otherwise `suppressed` counts it (peer_log.h). */
bool intake_shard_may_tell(struct intake_shard *shard, enum event_kind kind,
                           struct ip_address peer);

/* A session is gone: the last one ends a drain. */
void intake_shard_session_ended(struct intake_shard *shard);
