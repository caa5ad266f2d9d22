/* What became of recipients: changes to their rows, and the reports (RFC 3464) they cause.
 * Thread: any; done() runs on the thread of answer_to, after COMMIT.  Results: spool.h. */
#pragma once

#include "relay/spool/append.h"
#include "relay/spool/failure.h"

enum recipient_state { RECIPIENT_QUEUED, RECIPIENT_DEFERRED, RECIPIENT_HELD };

enum recipient_flags {
    RECIPIENT_DOUBTFUL = 1,       /* a final dot went out unanswered */
    RECIPIENT_DELAY_REPORTED = 2, /* its "delayed" report was sent */
    RECIPIENT_OPEN = 4, /* a final dot may have gone out since: found at a start, it is doubtful */
    /* Only as found at a start, beside RECIPIENT_OPEN: its record says that it was delivered
     * (marks.h).  Its owner finishes it, which is when that is told. */
    RECIPIENT_DELIVERED = 8,
    RECIPIENT_TIMED = 16,  /* held until next_utc_ms */
    RECIPIENT_BRAKED = 32, /* held as all mail of its user is (policy/brake_book.h) */
    RECIPIENT_RULED = 64,  /* beside RECIPIENT_TIMED: by a rule, no quota */
};

enum spool_change_kind {
    CHANGE_FINISHED, /* delivered, failed, expired or deleted: the row goes */
    CHANGE_ROW,      /* deferred, held, released: state, attempts, next, flags, reply are set */
    CHANGE_MARK,     /* flags are added, for instance RECIPIENT_DELAY_REPORTED */
    CHANGE_OPEN,     /* RECIPIENT_OPEN is added, host and tried are set: to be committed before the
                        final dot of an attempt leaves */
};

struct spool_change {
    enum spool_change_kind kind;
    uint32_t n; /* recipient, from 1 */
    enum recipient_state state;
    uint32_t attempts, flags;
    int64_t next_utc_ms;
    struct slice reply;   /* data NULL: as it was */
    struct slice host;    /* whom the dot goes to; of CHANGE_ROW, data NULL: as it was */
    int64_t tried_utc_ms; /* and when */
    bool is_marked;       /* of CHANGE_FINISHED: its record says so already (spool_mark()) */
};

/* Changes of one message's recipients, with the reports they cause, in one transaction.  Never
 * refused for lack of space: what cannot be committed now is committed first when it can be. */
struct spool_update {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_update *update);
    struct stored *stored; /* the asker holds a reference until done() */
    const struct spool_change *changes;
    uint32_t n_changes;
    struct spool_append *reports; /* array; in pieces, large is NULL; no done() of their own */
    uint32_t n_reports;
    const struct failure *failures; /* to be told in a digest; ids are the spool's */
    uint32_t n_failures;
    /* Nobody waits for it: with others of its kind alone it may wait a few milliseconds for
     * company. */
    bool can_wait;
    int result;       /* 0; -ESHUTDOWN, -EEXIST or -EINVAL: not committed, nothing changed */
    bool is_finished; /* this update ended the last recipient: the message is gone */
    struct {          /* the spool's */
        struct spool *spool;
        struct spool_update *next;
        uint32_t n_finished;
        bool is_ready;
    } state;
};
void spool_update(struct spool *spool, struct spool_update *update);
