/* The durable queue: bytes, sync, rows, commit, and only then the answer.  One thread appends and
 * commits for everybody; what arrives during one commit is the next group, no timer involved.
 * How it keeps its promises: README.md.
 * Thread: spool_start() and spool_stop() from one; the rest from any, as said at each.
 * Results: 0; -ENOSPC (452 4.3.1: nearly full); -EIO (451 4.3.0: the disk failed, or intake is
 * closed); -EFBIG (552 5.3.4: cannot be stored at all); -ESHUTDOWN (stopping). */
#pragma once

#include "relay/base/mailbox.h"
#include "relay/spool/envelope.h"
#include "relay/spool/stored.h"

struct spool;
struct io;
struct spool_large; /* a long message's own file; the spool's */

enum recipient_state { RECIPIENT_QUEUED, RECIPIENT_DEFERRED, RECIPIENT_HELD };

enum recipient_flags {
    RECIPIENT_DOUBTFUL = 1,       /* a final dot went out unanswered */
    RECIPIENT_DELAY_REPORTED = 2, /* its "delayed" report was sent */
};

/* One recipient that waits, as found at start. */
struct recipient_row {
    uint32_t n; /* from 1 */
    enum recipient_state state;
    uint32_t attempts;
    int64_t next_utc_ms;
    uint32_t flags; /* enum recipient_flags */
    struct slice address;
    struct slice reply; /* the last one; empty: none */
    struct slice campaign;
    struct slice sender;
};

/* Slices and envelopes are good during the call.  on_committed and on_recovered hand over a
 * reference: the owner calls stored_unref() when its last recipient is finished. */
struct spool_callbacks {
    void *owner;
    /* A message is durable; spool thread, before its receipt; also when the client has gone. */
    void (*on_committed)(void *owner, struct stored *stored, const struct envelope *envelope);
    /* Per message with its n_rows recipients; inside spool_start(), by age; may be NULL. */
    void (*on_recovered)(void *owner, struct stored *stored, const struct recipient_row *rows,
                         uint32_t n_rows);
};

struct spool_settings {
    const char *dir;         /* made when absent */
    uint64_t segment_bytes;  /* 0: 64 MiB */
    uint64_t min_free_bytes; /* below: -ENOSPC; max(100 MB, 1.5 x size limit) wanted; 0: 100 MB */
    unsigned min_free_inodes_percent; /* 0: 5 */
    uint64_t reserve_bytes;           /* kept for verdicts; 0: 1 % of the disk, at most 64 MB */
    uint32_t mailbox_capacity;        /* 0: 8192 */
    const struct io *io;              /* NULL: the system's */
    const char *vfs;                  /* NULL: the system's; see db_settings */
    struct spool_callbacks callbacks;
};

/* Recovers what is there (a damaged or lost queue.db is rebuilt from the segments), then starts
 * the thread.  -EBUSY: another process has this spool. */
MUST_USE int spool_start(struct spool **out, const struct spool_settings *settings);

/* Answers everything that waits, commits, closes.  Nothing may be asked any more; leases must be
 * released first.  Accepts NULL, returns NULL. */
struct spool *spool_stop(struct spool *spool);

/* ---- new mail ---- */

/* The message is `pieces` one after another, or `large` when it was spilled.  All it points at
 * stays until done() runs; `large` is the spool's from here on, whatever the result. */
struct spool_append {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_append *append);
    const struct envelope *envelope;
    uint32_t
        header_bytes; /* of the pieces (or of the file) are the header block, blank line included */
    const struct slice *pieces;
    uint32_t n_pieces;
    struct spool_large *large;
    int result;
    struct spool_append_state { /* the spool's */
        struct stored *stored;
        uint64_t place;
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
};
/* LARGE_ABANDON is never refused (it was bounded by its open). */
MUST_USE bool spool_large_ask(struct spool *spool, struct spool_large_request *request);

/* ---- verdicts ---- */

enum spool_change_kind {
    CHANGE_FINISHED, /* delivered, failed, expired or deleted: the row goes */
    CHANGE_ROW,      /* deferred, held, released: state, attempts, next, flags, reply are set */
    CHANGE_MARK,     /* flags are added, for instance RECIPIENT_DOUBTFUL */
};

struct spool_change {
    enum spool_change_kind kind;
    uint32_t n; /* recipient, from 1 */
    enum recipient_state state;
    uint32_t attempts, flags;
    int64_t next_utc_ms;
    struct slice reply; /* data NULL: as it was */
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
    struct slice signatures;      /* data NULL: as they were */
    struct spool_append *reports; /* array; task, answer_to and done of these are not used */
    uint32_t n_reports;
    int result;          /* 0, or -ESHUTDOWN: not committed, nothing changed */
    bool is_finished;    /* no recipient is left: the message is gone */
    uint32_t n_finished; /* state of the spool while it commits */
};
void spool_update(struct spool *spool, struct spool_update *update);

/* ---- reading ---- */

/* A lease: these bytes stay where they are until spool_release(). */
struct spool_view {
    int fd; /* opened read-only; hand it to the signer, never close it */
    uint32_t generation;
    uint64_t envelope_offset;
    uint64_t offset; /* of the header block; the body follows it */
    uint64_t length; /* header and body */
    uint32_t envelope_bytes, header_bytes;
    uint32_t crc; /* CRC-32C of those length bytes: check it before a final dot goes out */
    uint64_t place, id;
    int large_fd; /* the view's own, or -1 */
};

/* Lock-free, any thread.  0; -ENOENT: the message is finished; -EBADMSG: its bytes are lost. */
MUST_USE int spool_lease(struct spool *spool, const struct stored *stored, struct spool_view *view);
void spool_release(struct spool *spool, struct spool_view *view);

/* Reads at most length bytes from position (0: start of the header block), without blocking:
 * bytes read, -EAGAIN when they are not in memory (spool_fetch() them), -EBADMSG when cut short. */
MUST_USE int64_t spool_read(const struct spool_view *view, uint64_t position, void *out,
                            size_t length);

/* The envelope, checked; decoded slices look into *buffer.  0, -EAGAIN, -EBADMSG, -ENOMEM. */
MUST_USE int spool_read_envelope(const struct spool_view *view, struct buffer *buffer,
                                 struct arena *arena, struct envelope *out);

/* Brings a view's bytes into memory, on a thread that may block; verifies the CRC on the way. */
struct spool_fetch {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_fetch *fetch);
    const struct spool_view *view;
    int result; /* 0, -EIO, -EBADMSG (EVENT_RECORD_DAMAGED was raised) */
};
MUST_USE bool spool_fetch(struct spool *spool, struct spool_fetch *fetch);

/* Whoever finds that bytes and CRC disagree says so here; the message is then held, not sent. */
void spool_report_damaged(const struct stored *stored, const char *found_by);

/* ---- how it stands; any thread ---- */

bool spool_is_full(const struct spool *spool);     /* 452 4.3.1 */
bool spool_accepts(const struct spool *spool);     /* false: 451 4.3.0, or full */
bool spool_may_deliver(const struct spool *spool); /* false: verdicts cannot be committed now */
bool spool_is_healthy(const struct spool *spool);

struct spool_figures {
    uint64_t n_groups, n_appended, n_finished, n_syncs;
    uint64_t n_messages, free_bytes;
    uint32_t n_segments, n_free_segments;
};
void spool_figures(const struct spool *spool, struct spool_figures *out);

/* ---- repair; the service is stopped ---- */

struct rebuild_result {
    uint64_t n_messages, n_recipients, n_damaged;
};
/* Makes a new queue.db from the segments.  The old one is kept as queue.db.damaged.  Recipients
 * whose end did not reach the disk before the crash are tried once more. */
MUST_USE int spool_rebuild(const struct spool_settings *settings, struct rebuild_result *out);
