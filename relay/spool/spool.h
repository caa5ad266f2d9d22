/* The durable queue: bytes, sync, rows, commit, and only then the answer.  One thread appends and
 * commits for everybody; what arrives during one commit is the next group, no timer involved.
 * How it keeps its promises: README.md.
 * Thread: spool_start() and spool_stop() from one; the rest from any, as said at each.
 * Results: 0; -ENOSPC (452 4.3.1: nearly full); -EIO (451 4.3.0: the disk failed, or intake is
 * closed); -EFBIG (552 5.3.4: cannot be stored at all); -ESHUTDOWN (stopping). */
#pragma once

#include "relay/spool/append.h"
#include "relay/spool/update.h"
#include "relay/spool/view.h"

struct io;

/* One recipient that waits, as found at start. */
struct recipient_row {
    uint32_t n; /* from 1 */
    enum recipient_state state;
    uint32_t attempts;
    int64_t next_utc_ms;
    uint32_t flags; /* enum recipient_flags */
    struct slice address;
    struct slice reply; /* the last one; empty: none */
    struct slice host;  /* of the last attempt that was marked (CHANGE_OPEN); empty: none */
    int64_t tried_utc_ms;
    struct slice campaign;
    struct slice sender;
    struct slice user;
};

/* Slices and envelopes are good during the call.  on_committed and on_recovered hand over a
 * reference: the owner calls stored_unref() when its last recipient is finished. */
struct spool_callbacks {
    void *owner;
    /* A message's bytes can be read, and it will be committed unless the disk fails: only of groups
     * of a few, where there is time to make ready.  Spool thread; NULL: nobody wants to know. */
    void (*on_written)(void *owner, struct stored *stored, const struct envelope *envelope);
    /* A message is durable; spool thread, before its receipt; also when the client has gone. */
    void (*on_committed)(void *owner, struct stored *stored, const struct envelope *envelope);
    /* Is delivery going to try this message at once?  Then its rows are born as RECIPIENT_OPEN
     * (stored->is_open), and the mark before its first final dot costs nothing.  Spool thread;
     * NULL: no. */
    bool (*opens_at_once)(void *owner, const struct envelope *envelope);
    /* This recipient's row is RECIPIENT_OPEN, and its record does not say that it was delivered
     * (RECIPIENT_DELIVERED), so a final dot may have gone out unanswered before the crash:
     * decides state, next, flags and reply.  Inside spool_start(), before on_recovered; the row is
     * then stored so.  NULL: RECIPIENT_DOUBTFUL takes the mark's place. */
    void (*settle_doubt)(void *owner, const struct stored *stored, struct recipient_row *row);
    /* Per message with its n_rows recipients; inside spool_start(), by age; may be NULL. */
    void (*on_recovered)(void *owner, struct stored *stored, const struct recipient_row *rows,
                         uint32_t n_rows);
    /* The database is damaged farther on: what on_recovered handed over is void, its references are
     * to be dropped, and all comes again from the segments.  Inside spool_start(); NULL as that is.
     */
    void (*on_recovery_undone)(void *owner);
    /* What a digest shall tell; inside spool_start(), after the messages; may be NULL. */
    void (*on_failures)(void *owner, const struct failures_waiting *waiting);
};

struct spool_settings {
    const char *dir;         /* made when absent */
    uint64_t segment_bytes;  /* 0: 64 MiB */
    uint64_t min_free_bytes; /* below: -ENOSPC; max(100 MB, 1.5 x size limit) wanted; 0: 100 MB */
    unsigned min_free_inodes_percent; /* 0: 5 */
    uint64_t reserve_bytes;           /* kept for verdicts; 0: 1 % of the disk, at most 64 MB */
    uint32_t mailbox_capacity;        /* 0: 8192 */
    uint32_t company_ms; /* how long what can wait (spool_update) waits for others; 0: 5 */
    int64_t boot;        /* which run of the kernel this is; 0: as it says itself */
    const struct io *io; /* NULL: the system's */
    const char *vfs;     /* NULL: the system's; see db_settings */
    /* Of the threads that ask, which look into them until spool_stop(): see gather.h; may be 0. */
    struct mailbox *const *sources;
    uint32_t n_sources;
    struct spool_callbacks callbacks;
};

/* Recovers what is there (a damaged or lost queue.db is rebuilt from the segments), then starts
 * the thread.  -EBUSY: another process has this spool. */
MUST_USE int spool_start(struct spool **out, const struct spool_settings *settings);

/* Answers everything that waits, commits, closes.  Nothing may be asked any more; leases must be
 * released first.  Accepts NULL, returns NULL. */
struct spool *spool_stop(struct spool *spool);

/* ---- how it stands; any thread ---- */

bool spool_is_full(const struct spool *spool);     /* 452 4.3.1 */
bool spool_accepts(const struct spool *spool);     /* false: 451 4.3.0, or full */
bool spool_may_deliver(const struct spool *spool); /* false: verdicts cannot be committed now */
bool spool_is_healthy(const struct spool *spool);

/* When the last transaction before this start was committed, UTC; 0: never.  A clock that is over
 * a day past it has jumped (design, section 6). */
int64_t spool_last_commit_utc_ms(const struct spool *spool);

/* A reload: how much room the disk must have for new mail, as spool_settings.min_free_bytes. */
void spool_set_min_free(struct spool *spool, uint64_t bytes);

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
