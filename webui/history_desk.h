/* The second reader thread: steps statements of history and counters, as the first (queue_desk.h)
 * does those of the queue.  One request at a time; each reads a slice that ends in time.
 * Thread: ask from the panel's; answers there. */
#pragma once

#include "relay/base/mailbox.h"
#include "relay/events/history_reader.h"

struct history_desk;

MUST_USE int history_desk_new(struct history_desk **out, const char *dir); /* 0 or -errno */
struct history_desk *history_desk_free(struct history_desk *desk);         /* NULL ok */

/* work runs on the reader thread with its reader; done back on answer_to. */
struct history_job {
    struct task task;
    struct mailbox *answer_to;
    void (*work)(struct history_job *job, struct history_reader *reader);
    void (*done)(struct history_job *job);
    struct history_desk *desk; /* the desk's */
};
MUST_USE bool history_desk_ask(struct history_desk *desk, struct history_job *job);
