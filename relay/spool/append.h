/* New mail into the spool: messages at hand, and long ones that grow in a file of their own.
 * Thread: any; done() runs on the thread of answer_to, after COMMIT or after the refusal.
 * Results: spool.h. */
#pragma once

#include "relay/base/mailbox.h"
#include "relay/spool/envelope.h"
#include "relay/spool/stored.h"

struct spool;
struct failures_told;
struct spool_large; /* a long message's own file; the spool's */

/* The message is `pieces` one after another, or `large` when it was spilled.  All it points at
 * stays until done() runs; `large` is the spool's from here on, whatever the result. */
struct spool_append {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_append *append);
    const struct envelope *envelope;
    uint32_t header_bytes; /* how many of the bytes are the header block, its blank line included */
    const struct slice *pieces;
    uint32_t n_pieces;
    struct spool_large *large;
    const struct failures_told *tells; /* NULL, or what goes in the same transaction */
    int result;
    struct { /* the spool's */
        struct spool *spool;
        struct stored *stored;
        struct spool_append *next;
    } state;
};

/* False: busy (answer 451) and nothing happened, `large` included. */
MUST_USE bool spool_append(struct spool *spool, struct spool_append *append);

enum spool_large_kind { LARGE_OPEN, LARGE_WRITE, LARGE_ABANDON };

/* Opens (large is an output), writes to, or removes a long message's file.  One at a time per
 * file.  After a failed write the file can only be abandoned. */
struct spool_large_request {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_large_request *request);
    enum spool_large_kind kind;
    uint64_t id; /* LARGE_OPEN: the queue id */
    struct spool_large *large;
    const struct slice *pieces; /* LARGE_WRITE */
    uint32_t n_pieces;
    int result;
    struct spool *spool; /* the spool's */
};
/* LARGE_ABANDON is never refused (it was bounded by its open). */
MUST_USE bool spool_large_ask(struct spool *spool, struct spool_large_request *request);
