/* The reader thread: steps statements of the queue's rows so that the panel thread never does.
 * One request at a time; each reads a bounded slice.
 * Thread: ask from the panel's; answers there. */
#pragma once

#include "relay/base/mailbox.h"
#include "relay/spool/spool_reader.h"

struct queue_desk;

MUST_USE int queue_desk_new(struct queue_desk **out, const char *spool_dir); /* 0 or -errno */
struct queue_desk *queue_desk_free(struct queue_desk *desk);                 /* NULL ok */

/* work runs on the reader thread with its reader; done back on answer_to. */
struct queue_job {
    struct task task;
    struct mailbox *answer_to;
    void (*work)(struct queue_job *job, struct spool_reader *reader);
    void (*done)(struct queue_job *job);
    struct queue_desk *desk; /* the desk's */
};
MUST_USE bool queue_desk_ask(struct queue_desk *desk, struct queue_job *job);
