/* What a spool is made of; shared by the files that make up the spool thread, nobody else's.
 * Thread: the spool thread, but for what is marked. */
#pragma once

#include <pthread.h>

#include "relay/base/thread.h"
#include "relay/spool/committer.h"
#include "relay/spool/gather.h"
#include "relay/spool/helper.h"
#include "relay/spool/large.h"
#include "relay/spool/segments.h"
#include "relay/spool/space.h"
#include "relay/spool/store.h"

struct spool {
    struct spool_settings settings;
    const struct io *io;
    char *dir;
    int lock_fd, dir_fd, large_dir_fd;
    struct segments segments;
    struct store store;
    struct space space;
    struct committer committer;
    struct gatherer gatherer;
    struct helper upkeep;   /* its thread makes segments and checkpoints */
    struct helper fetching; /* its thread reads for those who may not block */

    struct mailbox *mailbox;
    pthread_t thread;
    struct thread_owner owner;
    struct task stop_task;
    bool has_thread, is_ending;
    atomic_bool is_stopping; /* any thread */

    struct {
        struct task task;
        bool is_running;
        char name[STORE_NAME_SIZE]; /* of the database */
        int result;
        struct db *db; /* the helper's, and which one it is */
        char db_name[STORE_NAME_SIZE];
        bool empties;        /* this one also gives the log's room back */
        int64_t empty_at_ms; /* not before, when the disk is full */
    } checkpoint;
    uint32_t checkpoint_pages; /* the log's length at which the next one starts */
    struct {
        struct task task;
        bool is_running;
        uint32_t id;
        struct segment *segment;
        int result;
    } spare;

    bool distrusts_marks;       /* stored: a disk failed since the start (doubts.h) */
    int64_t last_commit_utc_ms; /* as found at start */
    _Atomic uint64_t n_groups, n_appended, n_finished, n_syncs, n_messages; /* any thread reads */
    _Atomic uint32_t n_segments, n_free_segments;
};

/* ---- upkeep.c: checkpoints, spare segments ---- */

/* Starts what is due; called after every group. */
void upkeep_run(struct spool *spool);
void upkeep_close(struct spool *spool); /* after the helper has ended */

/* ---- marks.c: the octets at the ends of records; marks.h ---- */

/* After COMMIT: those whose row went. */
void marks_finish(struct spool *spool, const struct spool_update *update);
/* After a move: what was marked at the old place since it was copied. */
void marks_carry(struct spool *spool, const struct move *move, uint64_t old_place);
/* All of a message's, one octet a recipient; -EBADMSG when its record is not there. */
MUST_USE int marks_read(const struct spool *spool, const struct stored *stored, struct buffer *out);

/* ---- recovery.c ---- */

/* Opens and reads everything back; calls on_recovered. */
MUST_USE int recovery_run(struct spool *spool);
/* Only makes the database anew. */
MUST_USE int recovery_rebuild(struct spool *spool, struct rebuild_result *out);

/* ---- rebuild.c ---- */

/* Fills an empty store from the segments and marks it complete. */
MUST_USE int rebuild_into(struct store *store, const struct segments *segments, int large_dir_fd,
                          struct rebuild_result *out);
