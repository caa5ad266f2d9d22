/* How far a recipient has come, as one octet at the end of its message's record, written at once by
 * whoever knows, and not synced: the page cache keeps it over a kill -9 of any process.  So a start
 * knows of verdicts that waited for their commit.  After a power cut what is found is true as well,
 * and what is missing says nothing.
 * Thread: any, without a lock; of one recipient one after the other. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct spool;
struct stored;

/* Later is greater. */
enum recipient_mark {
    MARK_NONE = 0,
    MARK_SENT = 0x5d,      /* first attempt of a message that was born open: its dot leaves */
    MARK_DELIVERED = 0xd1, /* the receiver took it */
    MARK_FINISHED = 0xf1,  /* its row went, whatever the end */
};

/* Writes the mark for these recipients (from 1; those that follow one another in one go).  False:
 * it could not be written, or the message is finished. */
bool spool_mark(struct spool *spool, const struct stored *stored, const uint32_t *recipients,
                uint32_t n_recipients, enum recipient_mark mark);
