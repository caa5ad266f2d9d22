/* What the spool thread has done by a helper: moving the log into the database, and making the
 * next segment before it is needed. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/spool/parts.h"
#include "sql/queue_schema.h"

enum {
    CHECKPOINT_PAGES = 1000, /* 4 MB of log: the helper copies what it can */
    EMPTY_EVERY_MS = 1000,   /* while the disk is full */
    LOG_LIMIT_PAGES = 16384, /* 64 MB: the writer itself finishes the job, so the log starts over */
    READERS_MS = 20, /* for those who read while the log is emptied: meanwhile nobody can commit */
};

/* ---- checkpoints ---- */

static int open_for_checkpoint(struct spool *spool)
{
    const struct db_settings settings = {
        .vfs = spool->settings.vfs, .is_manual = true, .busy_ms = READERS_MS};
    char path[PATH_MAX];

    if (spool->checkpoint.db && strcmp(spool->checkpoint.db_name, spool->checkpoint.name) == 0)
        return 0;
    spool->checkpoint.db = db_close(spool->checkpoint.db);
    memcpy(spool->checkpoint.db_name, spool->checkpoint.name, STORE_NAME_SIZE);
    snprintf(path, sizeof(path), "%s/%s", spool->dir, spool->checkpoint.name);
    return db_open(&spool->checkpoint.db, path, &queue_schema, DB_CHECKPOINT, &settings);
}

/* Spool thread. */
static void on_checkpointed(struct task *task)
{
    struct spool *spool = CONTAINER_OF(task, struct spool, checkpoint.task);
    int result = spool->checkpoint.result;

    spool->checkpoint.is_running = false;
    /* Busy: a reader or the writer itself was at it.  A database since replaced no longer counts.
     */
    if (result && result != -EBUSY && !spool->is_ending &&
        strcmp(spool->checkpoint.name, spool->store.name) == 0)
        committer_note_failure(spool, result);
}

/* Helper. */
static void do_checkpoint(struct task *task)
{
    struct spool *spool = CONTAINER_OF(task, struct spool, checkpoint.task);

    spool->checkpoint.result = open_for_checkpoint(spool);
    if (!spool->checkpoint.result)
        spool->checkpoint.result = db_checkpoint(spool->checkpoint.db, spool->checkpoint.empties);
    task->run = on_checkpointed;
    mailbox_answer(spool->mailbox, task);
}

static void start_checkpoint(struct spool *spool, bool empties)
{
    spool->checkpoint.is_running = true;
    spool->checkpoint.empties = empties;
    memcpy(spool->checkpoint.name, spool->store.name, STORE_NAME_SIZE);
    spool->checkpoint.task.run = do_checkpoint;
    mailbox_answer(spool->upkeep.mailbox, &spool->checkpoint.task);
}

/* SQLite keeps the log's file as long as it ever was, so on a small disk new mail could wait for
 * ever for room that nothing needs. */
static bool must_empty_log(struct spool *spool)
{
    int64_t now_ms;

    if (!atomic_load(&spool->space.is_full))
        return false;
    now_ms = clock_monotonic_ms();
    if (now_ms < spool->checkpoint.empty_at_ms)
        return false;
    spool->checkpoint.empty_at_ms = now_ms + EMPTY_EVERY_MS;
    return true;
}

static void checkpoint_if_due(struct spool *spool)
{
    uint32_t n_pages = db_wal_pages(spool->store.db);

    if (spool->checkpoint.is_running)
        return;
    if (must_empty_log(spool)) {
        start_checkpoint(spool, true);
        return;
    }
    if (n_pages < CHECKPOINT_PAGES)
        return;
    /* The helper never reaches the end of a log that grows while it copies; between two groups it
     * does not grow. */
    if (n_pages >= LOG_LIMIT_PAGES) {
        int error = db_checkpoint(spool->store.db, false);

        if (error && error != -EBUSY)
            committer_note_failure(spool, error);
        return;
    }
    if (n_pages >= spool->checkpoint_pages) {
        spool->checkpoint_pages = n_pages + CHECKPOINT_PAGES;
        start_checkpoint(spool, false);
    } else if (n_pages + CHECKPOINT_PAGES < spool->checkpoint_pages) {
        spool->checkpoint_pages = 0; /* the log has started over */
    }
}

/* ---- spare segments ---- */

/* Spool thread. */
static void on_spare_made(struct task *task)
{
    struct spool *spool = CONTAINER_OF(task, struct spool, spare.task);

    spool->spare.is_running = false;
    if (spool->spare.result == 0)
        segments_add_spare(&spool->segments, spool->spare.segment);
    else
        segments_return_spare(&spool->segments);
}

/* Helper. */
static void make_spare(struct task *task)
{
    struct spool *spool = CONTAINER_OF(task, struct spool, spare.task);

    spool->spare.result = segment_create(&spool->spare.segment, spool->io, spool->segments.dir_fd,
                                         spool->spare.id, spool->segments.segment_bytes, true);
    task->run = on_spare_made;
    mailbox_answer(spool->mailbox, task);
}

static void make_spare_if_due(struct spool *spool)
{
    if (spool->spare.is_running || atomic_load(&spool->space.is_full))
        return;
    spool->spare.id = segments_reserve_spare(&spool->segments);
    if (!spool->spare.id)
        return;
    spool->spare.is_running = true;
    spool->spare.task.run = make_spare;
    mailbox_answer(spool->upkeep.mailbox, &spool->spare.task);
}

void upkeep_run(struct spool *spool)
{
    segments_recycle(&spool->segments);
    atomic_store(&spool->n_segments, spool->segments.n_files);
    atomic_store(&spool->n_free_segments, spool->segments.n_free);
    if (spool->committer.needs_database)
        return;
    make_spare_if_due(spool);
    checkpoint_if_due(spool);
}

void upkeep_close(struct spool *spool)
{
    spool->checkpoint.db = db_close(spool->checkpoint.db);
}
