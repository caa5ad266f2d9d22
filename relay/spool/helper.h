/* A thread that does for another what may block: tasks in, answers by mailbox.
 * Thread: start and stop from one, post from any. */
#pragma once

#include <pthread.h>

#include "relay/base/mailbox.h"

struct helper {
    struct mailbox *mailbox;
    pthread_t thread;
    bool has_thread, is_ending; /* is_ending: its thread's */
    struct task stop_task;
};

MUST_USE int helper_start(struct helper *helper, const char *name, uint32_t capacity);

/* What was posted before is done first.  Harmless when it never started. */
void helper_stop(struct helper *helper);
