/* Threads, and the belief "I am on the thread that owns this", checked in every build.
 * Thread: any. */
#pragma once

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include "relay/base/fault.h"

/* Which thread owns a struct; set where the struct is handed to its thread. */
struct thread_owner {
    pthread_t thread;
    bool is_set;
};

static inline void thread_own(struct thread_owner *owner)
{
    owner->thread = pthread_self();
    owner->is_set = true;
}

#define ASSERT_OWNED(owner) assert((owner).is_set &&pthread_equal((owner).thread, pthread_self()))

/* Starts a thread named name (at most 15 bytes) with all signals blocked; 0 or -errno. */
MUST_USE int thread_start(pthread_t *thread, const char *name, void *(*run)(void *),
                          void *argument);
