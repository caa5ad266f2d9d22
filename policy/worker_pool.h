/* A few threads for what costs CPU and must not run on a thread that serves others: password hashes
 * (19 MiB each), libopendkim's judgements.  The number of threads bounds memory, the queue bounds
 * waiting; a full queue is the caller's "busy".
 * Thread: submit from any.  work() runs on a worker, done() on the asker's thread. */
#pragma once

#include "relay/base/mailbox.h"

struct job {
    struct task task;          /* the pool's */
    struct mailbox *answer_to; /* the asker's */
    void (*work)(struct job *job);
    void (*done)(struct job *job); /* may free the job */
    bool was_cancelled;            /* set before done(): the pool stopped, work() did not run */
};

struct worker_pool;

MUST_USE int worker_pool_start(struct worker_pool **out, unsigned n_threads, uint32_t queue_length);

/* Finishes what runs, answers what waits as cancelled; accepts NULL, returns NULL. */
struct worker_pool *worker_pool_stop(struct worker_pool *pool);

/* False when the queue is full; the job is then still the caller's. */
MUST_USE bool worker_pool_submit(struct worker_pool *pool, struct job *job);
