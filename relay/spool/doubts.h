/* Recipients whose final dot may have gone out before a crash (RECIPIENT_OPEN), as they are found
 * at a start.  Their records' marks (marks.h) tell who was delivered, which their owner finishes,
 * and, while the same kernel runs, who was only marked at the arrival and never tried; of the rest
 * the owner says what becomes, and the rows are stored so.
 * Thread: spool_start()'s. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/spool/parts.h"

struct doubts {            /* zeroed is empty */
    struct buffer settled; /* struct settled_row and its reply, one after another */
    uint32_t n_settled;
    struct buffer marks; /* of one message */
    int64_t boot;        /* which run of the kernel this is; 0: unknown */
    bool is_same_boot;   /* as when the rows were written: no mark was lost */
};

struct row_list {
    struct recipient_row *rows;
    uint32_t n_rows;
};

void doubts_begin(struct doubts *doubts, struct spool *spool);

/* Changes the rows that are in doubt. */
void doubts_settle(struct doubts *doubts, const struct spool *spool, const struct stored *stored,
                   struct row_list list);

/* After a disk's failure marks may be lost with the kernel still running: the next start believes
 * none that is missing.  Part of a group's transaction, and of the first one only. */
MUST_USE int doubts_distrust(struct store *store);

/* In one transaction, once the scan is over; frees.  What cannot be stored now is found in doubt
 * again by the next start. */
void doubts_store(struct doubts *doubts, struct store *store);
void doubts_fini(struct doubts *doubts); /* without storing */
