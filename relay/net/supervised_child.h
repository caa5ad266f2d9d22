/* One child of the parent: how it is forked, talked to, and when it may start again.
 * Thread: the parent's; private to supervisor.c. */
#pragma once

#include <sys/types.h>

#include "relay/net/supervisor.h"

#define NEVER_MS INT64_MAX

struct supervised_child {
    const struct supervisor_role *role;
    pid_t pid;           /* 0: not running */
    int channel_fd;      /* our end, non-blocking; -1 */
    int64_t start_at_ms; /* NEVER_MS: not to be started */
    int64_t started_ms;
    unsigned n_failures; /* ends in a row without a long life between */
    bool is_ready, was_ready, is_draining;
    bool has_served; /* the run that ended was ready: it is not the settings that kill it */
};

/* Forks it and sends CHANNEL_START; 0 or -errno (nothing runs then). */
MUST_USE int supervised_child_start(struct supervised_child *child, void *owner, int64_t now_ms);

/* Sends CHANNEL_RELOAD when the role has a fill(). */
void supervised_child_reload(struct supervised_child *child, void *owner);

void supervised_child_drain(struct supervised_child *child);

/* When it may be started again, after it ended. */
void supervised_child_plan_restart(struct supervised_child *child,
                                   const struct supervisor_plan *plan, int64_t now_ms);

/* Notes that the process is gone and closes the channel. */
void supervised_child_forget(struct supervised_child *child);
