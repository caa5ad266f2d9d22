/* A thread that answers questions one after another, so that the panel thread never waits for a
 * disk: what queue_desk.h and history_desk.h have in common.
 * Thread: start and stop from the panel's or its starter's; ask from any. */
#pragma once

#include <pthread.h>

#include "relay/base/mailbox.h"

struct desk {
    struct mailbox *mailbox;
    pthread_t thread;
    struct task stop;
    bool is_stopping; /* its own thread's */
};

MUST_USE int desk_start(struct desk *desk,
                        const char *name); /* 0 or -errno, with nothing to stop */
void desk_stop(struct desk *desk);         /* what was asked before is answered first */

/* run_there goes on the desk's thread; false: too much waits. */
MUST_USE bool desk_ask(struct desk *desk, struct task *task, void (*run_there)(struct task *task));
