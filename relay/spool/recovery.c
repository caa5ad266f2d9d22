/* Start: what is in the folder becomes the queue in memory again.  Nothing that a crash can leave
 * behind stops it: a damaged or missing database is made anew from the segments. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/spool/doubts.h"
#include "relay/spool/parts.h"

/* ---- folders ---- */

static int open_folder(int parent_fd, const char *name, int *out)
{
    int fd;

    if (mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST)
        return FAULT(-errno);
    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return FAULT(-errno);
    *out = fd;
    return 0;
}

static int lock_folder(struct spool *spool)
{
    int fd = openat(spool->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return FAULT(-errno);
    spool->lock_fd = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return FAULT(errno == EWOULDBLOCK ? -EBUSY : -errno);
    return 0;
}

static int open_folders(struct spool *spool)
{
    int error, segments_fd = -1;

    if (mkdir(spool->dir, 0700) < 0 && errno != EEXIST)
        return FAULT(-errno);
    spool->dir_fd = open(spool->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->dir_fd < 0)
        return FAULT(-errno);
    error = lock_folder(spool);
    if (!error)
        error = open_folder(spool->dir_fd, "large", &spool->large_dir_fd);
    if (!error)
        error = open_folder(spool->dir_fd, "segments", &segments_fd);
    if (!error)
        error = spool->io->sync(spool->dir_fd);
    if (segments_fd >= 0) {
        int init_error =
            segments_init(&spool->segments, spool->io, segments_fd, spool->settings.segment_bytes);
        error = error ? error : init_error;
    }
    return error;
}

/* ---- the database ---- */

static void report_rebuild(const struct rebuild_result *result, const char *why)
{
    EVENT(EVENT_SPOOL_REWRITTEN, field_text("reason", why),
          field_number("messages", (int64_t)result->n_messages),
          field_number("recipients", (int64_t)result->n_recipients),
          field_number("damaged", (int64_t)result->n_damaged));
}

/* The damaged database stays beside the new one, for a human to look at. */
static int replace_database(struct spool *spool, const char *why, struct rebuild_result *result)
{
    struct store next;
    int error = store_create_next(&spool->store, &next);

    if (error)
        return error;
    error = rebuild_into(&next, &spool->segments, spool->large_dir_fd, result);
    if (!error)
        store_save_failures(&spool->store, &next);
    if (!error)
        error = store_switch(&spool->store, &next, true);
    else
        store_close(&next);
    if (!error)
        report_rebuild(result, why);
    return error;
}

int recovery_rebuild(struct spool *spool, struct rebuild_result *out)
{
    bool is_new;
    int error = open_folders(spool);

    if (error)
        return error;
    error = store_open(&spool->store, spool->io, spool->dir, spool->dir_fd, spool->settings.vfs,
                       &is_new);
    /* Whatever is wrong with the old one: that is why we are asked. */
    if (error && spool->store.name[0] == '\0')
        return error;
    return replace_database(spool, "asked", out);
}

static int open_database(struct spool *spool)
{
    struct rebuild_result result = {0};
    bool is_new = false;
    int error = store_open(&spool->store, spool->io, spool->dir, spool->dir_fd, spool->settings.vfs,
                           &is_new);

    if (!error && is_new) {
        error = rebuild_into(&spool->store, &spool->segments, spool->large_dir_fd, &result);
        if (!error && result.n_messages)
            report_rebuild(&result, "lost");
    }
    if (!error) /* few, and told one by one: these are looked at before */
        error = store_walk_failures(&spool->store);
    if (error == -EBADMSG)
        error = replace_database(spool, "damaged", &result);
    return error;
}

/* ---- rows to memory ---- */

struct recovery {
    struct spool *spool;
    struct doubts doubts;
    uint64_t *large_ids; /* rising */
    size_t n_large, capacity;
    uint64_t last_id;
    uint64_t n_messages, n_recipients;
};

static int note_large(struct recovery *recovery, uint64_t id)
{
    if (recovery->n_large == recovery->capacity) {
        size_t capacity = recovery->capacity ? recovery->capacity * 2 : 64;
        uint64_t *grown = realloc(recovery->large_ids, capacity * sizeof(*grown));

        if (!grown)
            return FAULT(-ENOMEM);
        recovery->large_ids = grown;
        recovery->capacity = capacity;
    }
    recovery->large_ids[recovery->n_large++] = id;
    return 0;
}

/* Its bytes are lost: it is shown and held, and can never be sent. */
static void check_place(const struct spool *spool, struct stored *stored)
{
    const struct segment *segment = segments_find(&spool->segments, place_segment(stored->place));

    if (segment && place_offset(stored->place) + segments_bytes_of(stored) <= segment->size)
        return;
    atomic_store(&stored->place, place_pack(SEGMENTS_MAX, 0));
    spool_report_damaged(stored, "start");
}

static int recover_message(void *owner, struct stored *stored, struct recipient_row *rows,
                           uint32_t n_rows)
{
    struct recovery *recovery = owner;
    struct spool *spool = recovery->spool;
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;
    int error = stored->is_large ? note_large(recovery, stored->id) : 0;

    if (error || n_rows == 0)
        return error;
    check_place(spool, stored);
    recovery->last_id = stored->id;
    recovery->n_messages++;
    recovery->n_recipients += n_rows;
    segments_add(&spool->segments, stored);
    doubts_settle(&recovery->doubts, spool, stored, (struct row_list){rows, n_rows});
    if (callbacks->on_recovered)
        callbacks->on_recovered(callbacks->owner, stored_ref(stored), rows, n_rows);
    return 0;
}

static int scan(struct recovery *recovery)
{
    doubts_begin(&recovery->doubts, recovery->spool);
    return store_scan(&recovery->spool->store, recover_message, recovery);
}

/* What was read of a database that is damaged farther on counts for nothing. */
static void undo(struct recovery *recovery)
{
    struct spool *spool = recovery->spool;
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;

    if (callbacks->on_recovery_undone)
        callbacks->on_recovery_undone(callbacks->owner);
    segments_forget(&spool->segments);
    doubts_fini(&recovery->doubts);
    free(recovery->large_ids);
    *recovery = (struct recovery){.spool = spool};
}

/* In one pass: nobody relies on what was read before all of it was. */
static int recover_messages(struct recovery *recovery)
{
    struct rebuild_result result = {0};
    int error = scan(recovery);

    if (error != -EBADMSG)
        return error;
    undo(recovery);
    error = replace_database(recovery->spool, "damaged", &result);
    return error ? error : scan(recovery);
}

static int recover_failures(struct spool *spool)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;

    if (!callbacks->on_failures)
        return 0;
    return store_scan_failures(&spool->store, callbacks->on_failures, callbacks->owner);
}

static void note_times(struct spool *spool, uint64_t last_id)
{
    int64_t committed = 0;

    if (store_recall(&spool->store, "committed", &committed) == 0)
        spool->last_commit_utc_ms = committed;
    queue_id_seen(last_id);
    /* Also of mail that has long left: nothing later may share its name in the logs. */
    queue_id_seen(queue_id_at(committed));
}

int recovery_run(struct spool *spool)
{
    struct recovery recovery = {.spool = spool};
    int64_t start_ms = clock_monotonic_ms();
    int error = open_folders(spool);

    if (!error)
        error = open_database(spool);
    if (!error)
        error = recover_messages(&recovery);
    if (!error)
        error = recover_failures(spool);
    if (!error) {
        segments_settle(&spool->segments);
        error = large_remove_orphans(spool->io, spool->large_dir_fd, recovery.large_ids,
                                     recovery.n_large);
    }
    free(recovery.large_ids);
    if (error)
        recovery.doubts.boot = 0; /* not all rows were looked at */
    doubts_store(&recovery.doubts, &spool->store);
    if (error)
        return error;
    store_remove_leftovers(&spool->store);
    note_times(spool, recovery.last_id);
    atomic_store(&spool->n_messages, recovery.n_messages);
    EVENT(EVENT_SPOOL_RECOVERED, field_number("messages", (int64_t)recovery.n_messages),
          field_number("recipients", (int64_t)recovery.n_recipients),
          field_seconds("secs", clock_monotonic_ms() - start_ms));
    return 0;
}
