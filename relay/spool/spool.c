#include "relay/spool/spool.h"

#include <errno.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/spool/parts.h"

enum {
    DEFAULT_SEGMENT_BYTES = 64 << 20,
    DEFAULT_CAPACITY = 8192,
    IDLE_MS = 5000, /* how often the disk's free space is looked at while nothing happens */
    FULL_MS = 1000, /* and while it is full */
    RETRY_MS = 200, /* verdicts that could not be committed */
    DEFAULT_COMPANY_MS = 5,
};

/* ---- the thread ---- */

static int wait_ms(const struct spool *spool)
{
    if (committer_has_work(spool))
        return 0;
    if (committer_has_failed(spool))
        return RETRY_MS;
    if (compaction_is_due(spool))
        return 0;
    return atomic_load(&spool->space.is_full) ? FULL_MS : IDLE_MS;
}

/* Whether all that waits is of a kind that can: spool_update.can_wait. */
static bool can_wait(const struct spool *spool)
{
    const struct group *waiting = &spool->committer.waiting;

    return waiting->updates && !waiting->is_pressing && !spool->is_ending &&
           !atomic_load(&spool->is_stopping);
}

/* Verdicts alone: each group costs a sync, and a moment later there are more of them, or mail. */
static void wait_for_company(struct spool *spool)
{
    int64_t end_ms = clock_monotonic_ms() + spool->settings.company_ms, rest_ms;

    while (can_wait(spool) && (rest_ms = end_ms - clock_monotonic_ms()) > 0) {
        mailbox_doze(spool->mailbox, (int)rest_ms);
        mailbox_run(spool->mailbox);
    }
}

static void *run(void *argument)
{
    struct spool *spool = argument;

    thread_own(&spool->owner);
    while (!spool->is_ending || committer_has_work(spool)) {
        mailbox_wait(spool->mailbox, wait_ms(spool));
        space_check(&spool->space, clock_monotonic_ms());
        mailbox_run(spool->mailbox);
        wait_for_company(spool);
        if (!atomic_load(&spool->is_stopping))
            gather_run(&spool->gatherer);
        committer_run(spool);
        upkeep_run(spool);
    }
    committer_give_up(spool);
    return NULL;
}

static void end(struct task *task)
{
    CONTAINER_OF(task, struct spool, stop_task)->is_ending = true;
}

/* ---- requests ---- */

static void take_append(struct task *task)
{
    struct spool_append *append = CONTAINER_OF(task, struct spool_append, task);

    gather_note(&append->state.spool->gatherer);
    group_add_append(&append->state.spool->committer.waiting, append);
}

bool spool_append(struct spool *spool, struct spool_append *append)
{
    append->state.spool = spool;
    append->task.run = take_append;
    return !atomic_load(&spool->is_stopping) && mailbox_post(spool->mailbox, &append->task);
}

static void take_update(struct task *task)
{
    struct spool_update *update = CONTAINER_OF(task, struct spool_update, task);

    if (!update->can_wait) /* no reason to call others together */
        gather_note(&update->state.spool->gatherer);
    group_add_update(&update->state.spool->committer.waiting, update);
}

void spool_update(struct spool *spool, struct spool_update *update)
{
    update->state.spool = spool;
    update->task.run = take_update;
    if (update->can_wait)
        mailbox_answer_quietly(spool->mailbox, &update->task);
    else
        mailbox_answer(spool->mailbox, &update->task);
}

static void answer_large(struct task *task)
{
    struct spool_large_request *request = CONTAINER_OF(task, struct spool_large_request, task);

    request->done(request);
}

static int open_large(struct spool *spool, struct spool_large_request *request)
{
    if (!spool_accepts(spool))
        return spool_is_full(spool) ? -ENOSPC : -EIO;
    spool->committer.has_new_names = true;
    return large_open(&request->large, spool->io, spool->large_dir_fd, request->id);
}

static int write_large(struct spool *spool, struct spool_large_request *request)
{
    int error = spool_is_full(spool) ? -ENOSPC : 0;

    if (!error)
        error = large_write(request->large, spool->io, request->pieces, request->n_pieces);
    if (error == -ENOSPC)
        space_note_full(&spool->space);
    if (error)
        request->large->error = error;
    return error;
}

static int abandon_large(struct spool *spool, struct spool_large_request *request)
{
    large_abandon(TAKE(request->large), spool->io, spool->large_dir_fd);
    return 0;
}

static void take_large(struct task *task)
{
    static int (*const serve[])(struct spool *, struct spool_large_request *) = {
        [LARGE_OPEN] = open_large,
        [LARGE_WRITE] = write_large,
        [LARGE_ABANDON] = abandon_large,
    };
    struct spool_large_request *request = CONTAINER_OF(task, struct spool_large_request, task);

    request->result = serve[request->kind](request->spool, request);
    task->run = answer_large;
    mailbox_answer(request->answer_to, task);
}

bool spool_large_ask(struct spool *spool, struct spool_large_request *request)
{
    request->spool = spool;
    request->task.run = take_large;
    if (request->kind == LARGE_ABANDON) {
        mailbox_answer(spool->mailbox, &request->task);
        return true;
    }
    return !atomic_load(&spool->is_stopping) && mailbox_post(spool->mailbox, &request->task);
}

static void answer_collect(struct task *task)
{
    struct spool_collect *collect = CONTAINER_OF(task, struct spool_collect, task);

    collect->done(collect);
}

static void take_collect(struct task *task)
{
    struct spool_collect *collect = CONTAINER_OF(task, struct spool_collect, task);

    collect->result = store_collect(&collect->spool->store, collect);
    task->run = answer_collect;
    mailbox_answer(collect->answer_to, task);
}

void spool_collect(struct spool *spool, struct spool_collect *collect)
{
    collect->spool = spool;
    collect->task.run = take_collect;
    mailbox_answer(spool->mailbox, &collect->task);
}

/* ---- start and stop ---- */

static int prepare(struct spool *spool, const struct spool_settings *settings)
{
    int error;

    spool->settings = *settings;
    spool->io = settings->io ? settings->io : &io_system;
    spool->lock_fd = spool->dir_fd = spool->large_dir_fd = spool->segments.dir_fd = -1;
    if (!settings->segment_bytes)
        spool->settings.segment_bytes = DEFAULT_SEGMENT_BYTES;
    if (!settings->mailbox_capacity)
        spool->settings.mailbox_capacity = DEFAULT_CAPACITY;
    if (!settings->company_ms)
        spool->settings.company_ms = DEFAULT_COMPANY_MS;
    committer_init(&spool->committer);
    spool->dir = strdup(settings->dir);
    if (!spool->dir)
        return FAULT(-ENOMEM);
    spool->settings.dir = spool->dir;
    spool->settings.sources = NULL;
    error = mailbox_new(&spool->mailbox, spool->settings.mailbox_capacity);
    if (error)
        return error;
    return gather_init(&spool->gatherer, spool->mailbox, settings->sources, settings->n_sources);
}

static int start_threads(struct spool *spool)
{
    int error = helper_start(&spool->upkeep, "spool-upkeep", DEFAULT_CAPACITY);

    if (!error)
        error = helper_start(&spool->fetching, "spool-fetch", DEFAULT_CAPACITY);
    if (!error)
        error = thread_start(&spool->thread, "spool", run, spool);
    spool->has_thread = error == 0;
    return error;
}

static struct spool *free_spool(struct spool *spool)
{
    gather_fini(&spool->gatherer);
    committer_fini(&spool->committer);
    segments_fini(&spool->segments);
    store_close(&spool->store);
    mailbox_free(spool->mailbox);
    close_fd_cleanup(&spool->large_dir_fd);
    close_fd_cleanup(&spool->dir_fd);
    close_fd_cleanup(&spool->lock_fd);
    free(spool->dir);
    free(spool);
    return NULL;
}

int spool_start(struct spool **out, const struct spool_settings *settings)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    int error;

    if (!spool)
        return FAULT(-ENOMEM);
    error = prepare(spool, settings);
    if (!error)
        error = recovery_run(spool);
    if (!error) {
        space_init(&spool->space, spool->io, spool->dir_fd, spool->settings.min_free_bytes,
                   spool->settings.min_free_inodes_percent, spool->settings.reserve_bytes);
        space_check(&spool->space, clock_monotonic_ms());
        error = start_threads(spool);
    }
    if (error) {
        spool_stop(spool);
        return error;
    }
    *out = spool;
    return 0;
}

struct spool *spool_stop(struct spool *spool)
{
    if (!spool)
        return NULL;
    atomic_store(&spool->is_stopping, true);
    if (spool->has_thread) {
        spool->stop_task.run = end;
        mailbox_answer(spool->mailbox, &spool->stop_task);
        pthread_join(spool->thread, NULL);
    }
    helper_stop(&spool->upkeep);
    helper_stop(&spool->fetching);
    if (spool->has_thread)
        mailbox_run(spool->mailbox); /* what the helpers still answered */
    upkeep_close(spool);
    /* Only to start quickly next time: the log alone would do. */
    if (spool->store.db && !spool->committer.needs_database && db_checkpoint(spool->store.db, true))
        spool->is_ending = true;
    return free_spool(spool);
}

/* ---- repair ---- */

int spool_rebuild(const struct spool_settings *settings, struct rebuild_result *out)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    int error;

    if (!spool)
        return FAULT(-ENOMEM);
    error = prepare(spool, settings);
    if (!error)
        error = recovery_rebuild(spool, out);
    free_spool(spool);
    return error;
}

/* ---- how it stands ---- */

bool spool_is_full(const struct spool *spool)
{
    return atomic_load(&spool->space.is_full);
}

void spool_set_min_free(struct spool *spool, uint64_t bytes)
{
    space_set_min_free(&spool->space, bytes);
}

bool spool_accepts(const struct spool *spool)
{
    return !atomic_load(&spool->committer.is_closed) && !spool_is_full(spool);
}

bool spool_may_deliver(const struct spool *spool)
{
    return !atomic_load(&spool->committer.is_blocked) && !atomic_load(&spool->committer.is_closed);
}

bool spool_is_healthy(const struct spool *spool)
{
    return spool_may_deliver(spool);
}

int64_t spool_last_commit_utc_ms(const struct spool *spool)
{
    return spool->last_commit_utc_ms;
}

void spool_figures(const struct spool *spool, struct spool_figures *out)
{
    *out = (struct spool_figures){
        .n_groups = atomic_load(&spool->n_groups),
        .n_appended = atomic_load(&spool->n_appended),
        .n_finished = atomic_load(&spool->n_finished),
        .n_syncs = atomic_load(&spool->n_syncs),
        .n_messages = atomic_load(&spool->n_messages),
        .free_bytes = atomic_load(&spool->space.free_bytes),
        .n_segments = atomic_load(&spool->n_segments),
        .n_free_segments = atomic_load(&spool->n_free_segments),
    };
}
