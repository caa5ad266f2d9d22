/* Larger groups when there is a crowd: before one is taken, the threads that append and update are
 * asked to come by (a task through the mailbox of each), so that what they are reading just now
 * comes along; again as long as that brings more.  No timer: nobody waits for mail that may come,
 * and a message on its own waits for nothing.
 * Thread: the spool thread. */
#pragma once

#include "relay/base/mailbox.h"

struct gather_source {
    struct task task; /* in the source's hands while it is asked */
    struct gatherer *gatherer;
    struct mailbox *mailbox;
    bool is_asked;
};

struct gatherer { /* zeroed: nobody is asked */
    struct mailbox *answer_to;
    struct gather_source *sources;
    uint32_t n_sources, n_awaited;
    uint32_t n_new; /* came since the last group was taken */
    bool was_crowd; /* several made up the last group */
    /* The most that a group waits for all this.  Who has not come by then is busy with something
     * long, or at its end: nobody waits for it again until it has. */
    int64_t patience_ms;
};

/* The mailboxes must go on being looked at until gather_fini(). 0 or -ENOMEM. */
MUST_USE int gather_init(struct gatherer *gatherer, struct mailbox *answer_to,
                         struct mailbox *const *sources, uint32_t n_sources);
void gather_fini(struct gatherer *gatherer);

void gather_note(struct gatherer *gatherer); /* something came for the next group */

/* Before a group is taken. */
void gather_run(struct gatherer *gatherer);
