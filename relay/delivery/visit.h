/* An operator's request on its way: on each loop in turn, in slices short enough not to be felt.
 * Recipients move between loops (shipment.h), and one that left a loop not yet seen for one already
 * seen would be missed.  So each request goes round three times: loops that it has settled send
 * nothing more away, and what they sent before lies in the mailboxes in front of the second round,
 * which does the work; the third lets them go on.
 * One request walks at a time, the others wait their turn on the first loop: overlapping walks
 * would keep loops settled, and mail from its loop, for as long as anybody asks.
 * Private to this folder. */
#pragma once

#include "relay/delivery/shard.h"
#include "relay/schedule/select.h"

/* Entries a slice, or between two looks at the clock; fewer when each may be an update to store. */
enum { VISIT_STEPS = 10000, VISIT_CHANGES = 1000 };

enum visit_round { VISIT_SETTLES, VISIT_WORKS, VISIT_RELEASES };

struct delivery_visit {
    struct task task;
    struct list links; /* in delivery->visits; the first loop's */
    struct delivery *delivery;
    struct delivery_shard *shard; /* where it is */
    enum visit_round round;
    void *request;
    bool (*slice)(struct delivery_visit *visit); /* false: done on this loop */
    struct task *answer;
    struct mailbox *answer_to;
    uint32_t cursor;
    struct list taken; /* entries that this slice took */
    struct site *site; /* of the domain asked for */
    uint32_t n_met;    /* entries, in this slice */
};

/* answer is posted to answer_to, to run done there, when every loop was visited.  False: no memory
 * or a full mailbox; nothing happened. */
MUST_USE bool delivery_visit(struct delivery *delivery, bool (*slice)(struct delivery_visit *visit),
                             void *request, struct task *answer, void (*done)(struct task *task),
                             struct mailbox *answer_to);

/* The next entries of this loop that the selection means: as many as a millisecond suffices for,
 * for looking; each turn of a busy loop costs more than that.  True: there is more. */
bool delivery_visit_entries(struct delivery_visit *visit, const struct selection *selection,
                            void (*note)(void *owner, struct entry *entry));

/* The loops are gone: those that did not end are not answered. */
void delivery_visits_free(struct delivery *delivery);
