/* Failed recipients whose sender wants one report about many (bounces = digest).  They are rows
 * from the transaction that ends the recipient until the one that stores the report about them:
 * a crash in between loses none and repeats none.
 * Thread: values; any. */
#pragma once

#include "relay/base/arena.h"
#include "relay/base/buffer.h"
#include "relay/base/mailbox.h"

struct spool;

struct failure {
    uint64_t id; /* the spool's; rises among those of one user and sender */
    uint32_t user_id;
    uint32_t n;       /* recipient of the message, from 1 */
    uint64_t message; /* queue id */
    int64_t failed_utc_ms;
    struct slice user, sender;
    struct slice address, orcpt, envid;
    struct slice status;              /* "5.1.1" */
    struct slice mx;                  /* who refused; empty: nobody was reached */
    struct slice diagnostic;          /* the peer's reply; empty: the reason is ours */
    struct slice reason;              /* our words when no peer spoke */
    struct slice message_id, subject; /* of its header; empty: none */
};

/* Those of one user and sender, oldest first, up to bounds; answered after done() on the thread of
 * answer_to.  The texts lie in the arena, which is the spool's until then. */
struct spool_collect {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_collect *collect);
    uint32_t user_id;
    struct slice sender;
    uint32_t most;     /* rows */
    size_t most_bytes; /* of texts; one row is always read */
    struct arena *arena;
    struct buffer rows; /* of struct failure; whoever asked frees it */
    bool has_more;
    int result;          /* 0, -ENOMEM or as sql/db.h says; without rows then */
    struct spool *spool; /* the spool's */
};
void spool_collect(struct spool *spool, struct spool_collect *collect);

static inline uint32_t spool_collected(const struct spool_collect *collect)
{
    return (uint32_t)(collect->rows.len / sizeof(struct failure));
}

static inline const struct failure *spool_collected_rows(const struct spool_collect *collect)
{
    return (const struct failure *)(const void *)collect->rows.data;
}

/* What a report tells: these rows go when it is stored. */
struct failures_told {
    uint32_t user_id;
    struct slice sender;
    uint64_t last_id; /* and those before it */
};

/* What waits for one user and sender, as found at start. */
struct failures_waiting {
    struct slice sender;
    uint32_t user_id, n;
    int64_t first_utc_ms; /* when the oldest failed */
};
