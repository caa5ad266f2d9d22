#include "relay/spool/committer.h"

#include <errno.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/list.h"
#include "relay/base/log.h"
#include "relay/spool/parts.h"

enum { REPLACE_EVERY_MS = 2000, FEW = 4 };

void committer_init(struct committer *committer)
{
    *committer = (struct committer){0};
    group_init(&committer->waiting);
}

void committer_fini(struct committer *committer)
{
    buffer_fini(&committer->scratch);
}

/* ---- answers: on the asker's thread ---- */

static void answer_append(struct task *task)
{
    struct spool_append *append = CONTAINER_OF(task, struct spool_append, task);

    append->done(append);
}

static void answer_update(struct task *task)
{
    struct spool_update *update = CONTAINER_OF(task, struct spool_update, task);

    update->done(update);
}

static void send_append(struct spool_append *append)
{
    append->task.run = answer_append;
    mailbox_answer(append->answer_to, &append->task);
}

static void send_update(struct spool_update *update)
{
    update->task.run = answer_update;
    mailbox_answer(update->answer_to, &update->task);
}

/* ---- the bytes ---- */

static void drop_reports(struct spool *spool, struct spool_update *update)
{
    for (uint32_t i = 0; i < update->n_reports; i++)
        writing_drop(spool, &update->reports[i]);
}

static bool are_reports_written(const struct spool_update *update)
{
    for (uint32_t i = 0; i < update->n_reports; i++) {
        if (update->reports[i].result)
            return false;
    }
    return true;
}

static void write_bytes(struct spool *spool, struct group *group)
{
    int refusal = atomic_load(&spool->committer.is_closed) ? -EIO
                  : atomic_load(&spool->space.is_full)     ? -ENOSPC
                                                           : 0;

    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        for (uint32_t i = 0; i < update->n_reports; i++)
            writing_append(spool, &update->reports[i]);
    }
    for (struct spool_append *append = group->appends; append; append = append->state.next) {
        append->result = refusal;
        append->state.stored = NULL;
        if (refusal)
            writing_drop(spool, append);
        else
            writing_append(spool, append);
    }
}

/* While its bytes are synced somebody may make ready for it.  In a crowd nobody waits for that. */
static void tell_written(struct spool *spool, const struct group *group)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;
    const struct spool_append *append = group->appends;

    for (unsigned n = 0; append && n < FEW; n++)
        append = append->state.next;
    if (append || !callbacks->on_written)
        return;
    for (append = group->appends; append; append = append->state.next)
        if (append->result == 0)
            callbacks->on_written(callbacks->owner, append->state.stored, append->envelope);
}

static bool lack_room(const struct spool_update *update)
{
    for (uint32_t i = 0; i < update->n_reports; i++)
        if (update->reports[i].result == -ENOSPC)
            return true;
    return false;
}

/* Of two changes of one row the older one is committed first. */
static bool is_behind_another(const struct group *group, const struct spool_update *update)
{
    for (const struct spool_update *one = group->updates; one != update; one = one->state.next)
        if (!one->state.is_ready && one->stored == update->stored)
            return true;
    return false;
}

/* A report whose bytes did not make it holds its verdict back for the next group, and the reserve
 * is for verdicts: without it a full disk would stop all delivery at the first failure. */
static void settle_bytes(struct spool *spool, struct group *group)
{
    writing_sync(spool, group);
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        update->state.is_ready = are_reports_written(update) &&
                                 !(group->has_unready && is_behind_another(group, update));
        if (update->state.is_ready)
            continue;
        group->has_unready = true;
        if (lack_room(update) && space_use_reserve(&spool->space))
            log_debug("spool", "a report takes the reserve");
        drop_reports(spool, update);
    }
    for (uint32_t i = 0; i < group->n_moves; i++) {
        if (!segments_is_sound(&spool->segments, group->moves[i].place)) {
            compaction_put_back(spool, group);
            break;
        }
    }
}

/* ---- when it fails ---- */

static bool is_disk_error(int error)
{
    return error != -EEXIST && error != -EINVAL && error != -ENOMEM;
}

static void refuse_appends(struct spool *spool, struct group *group, int error)
{
    for (struct spool_append *append = group->appends; append; append = append->state.next) {
        if (append->result)
            continue;
        append->result = error == -ENOSPC ? -ENOSPC : -EIO;
        writing_drop(spool, append);
    }
}

static void replace_database(struct spool *spool)
{
    int error;

    /* All rows are copied: not at every group's pace. */
    if (clock_monotonic_ms() < spool->committer.replace_at_ms)
        return;
    error = store_rewrite(&spool->store);
    spool->committer.replace_at_ms = clock_monotonic_ms() + REPLACE_EVERY_MS;
    if (error) {
        EVENT(EVENT_SPOOL_FAILED, field_text("what", "database"),
              field_text("reason", strerror(-error)));
        return;
    }
    EVENT(EVENT_SPOOL_REWRITTEN, field_text("database", spool->store.name));
    spool->committer.needs_database = false;
    spool->committer.replace_at_ms = 0;
    atomic_store(&spool->committer.is_closed, false);
}

void committer_note_failure(struct spool *spool, int error)
{
    if (error == -ENOSPC) {
        space_note_full(&spool->space);
        return;
    }
    EVENT(EVENT_SPOOL_FAILED, field_text("what", "commit"), field_text("reason", strerror(-error)));
    if (error == -EBUSY)
        return; /* somebody holds the lock by hand: wait, nothing is broken */
    spool->committer.has_failed = true;
    atomic_store(&spool->committer.is_closed, true);
    spool->committer.needs_database = true;
    replace_database(spool);
}

/* New mail of the group is refused; verdicts get what can still be had for them: the reserve's
 * blocks, or another database.  Compaction can wait. */
static int commit_verdicts(struct spool *spool, struct group *group, int error)
{
    refuse_appends(spool, group, error);
    compaction_put_back(spool, group);
    committer_note_failure(spool, error);
    if (!group->updates || spool->committer.needs_database)
        return error;
    error = group_transact(spool, group);
    if (error == -ENOSPC && space_use_reserve(&spool->space))
        error = group_transact(spool, group);
    return error;
}

/* Something in the group is wrong (a bug, or no memory): what is right shall not suffer. */
static void commit_apart(struct spool *spool, struct group *group)
{
    struct group one;

    compaction_put_back(spool, group);
    for (struct spool_append *append = group->appends, *next; append; append = next) {
        next = append->state.next;
        group_init(&one);
        one.appends = append;
        append->state.next = NULL;
        if (append->result == 0 && group_transact(spool, &one))
            refuse_appends(spool, &one, -EIO);
        append->state.next = next;
    }
    for (struct spool_update *update = group->updates, *next; update; update = next) {
        next = update->state.next;
        group_init(&one);
        one.updates = update;
        update->state.next = NULL;
        if (update->state.is_ready) {
            int error = group_transact(spool, &one);

            if (error)
                drop_reports(spool, update);
            update->state.is_ready = error == 0;
            update->result = error == -EEXIST || error == -EINVAL ? error : 0;
        }
        update->state.next = next;
    }
}

/* They go first in the next group. */
static void put_off_updates(struct spool *spool, struct group *group)
{
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        if (update->state.is_ready)
            drop_reports(spool, update);
        update->state.is_ready = false;
    }
}

static void commit_rows(struct spool *spool, struct group *group)
{
    int error = group_transact(spool, group);

    if (error && !is_disk_error(error)) {
        EVENT(EVENT_SPOOL_FAILED, field_text("what", "group"),
              field_text("reason", strerror(-error)));
        commit_apart(spool, group);
        error = 0;
    }
    if (error)
        error = commit_verdicts(spool, group, error);
    if (error)
        put_off_updates(spool, group);
    group_publish(spool, group);
}

/* ---- the group ---- */

static void answer_group(struct spool *spool, struct group *group)
{
    struct committer *committer = &spool->committer;
    struct group blocked;

    group_init(&blocked);
    for (struct spool_append *append = group->appends, *next; append; append = next) {
        next = append->state.next; /* once sent, it is the asker's again */
        send_append(append);
    }
    for (struct spool_update *update = group->updates, *next; update; update = next) {
        next = update->state.next;
        if (update->state.is_ready || update->result) {
            send_update(update);
        } else {
            group_add_update(&blocked, update);
        }
    }
    atomic_store(&committer->is_blocked, blocked.updates != NULL);
    group_put_in_front(&committer->waiting, &blocked);
}

/* What became of mail while this group's bytes were being synced goes with its rows: the sooner a
 * verdict is committed, the fewer a crash repeats.  Those behind a report's bytes wait for it, as
 * do all while one is put off: in order is easier to be sure of than in any order. */
static void take_verdicts(struct spool *spool, struct group *group)
{
    struct group *waiting = &spool->committer.waiting;
    struct spool_update *update;

    mailbox_run(spool->mailbox);
    while (!group->has_unready && (update = waiting->updates) && update->n_reports == 0) {
        waiting->updates = update->state.next;
        group_add_update(group, update);
        update->state.is_ready = true;
    }
    if (!waiting->updates) {
        waiting->last_update = &waiting->updates;
        waiting->is_pressing = waiting->appends != NULL;
    }
}

/* Nothing goes to a database that failed. */
static void put_off(struct spool *spool, struct group *group)
{
    refuse_appends(spool, group, -EIO);
    compaction_put_back(spool, group);
    put_off_updates(spool, group);
}

static void commit_group(struct spool *spool, struct group *group)
{
    write_bytes(spool, group);
    tell_written(spool, group);
    settle_bytes(spool, group);
    take_verdicts(spool, group);
    if (spool->committer.needs_database) /* a checkpoint failed meanwhile */
        put_off(spool, group);
    else
        commit_rows(spool, group);
    atomic_fetch_add(&spool->n_groups, 1);
}

void committer_run(struct spool *spool)
{
    struct committer *committer = &spool->committer;
    struct group group;

    if (committer->needs_database)
        replace_database(spool);
    group_take(&group, &committer->waiting);
    if (committer->needs_database) {
        refuse_appends(spool, &group, -EIO);
    } else {
        compaction_collect(spool, &group);
        if (group.appends || group.updates || group.n_moves)
            commit_group(spool, &group);
    }
    answer_group(spool, &group);
}

bool committer_has_work(const struct spool *spool)
{
    const struct group *waiting = &spool->committer.waiting;

    return waiting->appends || (waiting->updates && !atomic_load(&spool->committer.is_blocked));
}

bool committer_has_failed(const struct spool *spool)
{
    return spool->committer.waiting.updates != NULL || spool->committer.needs_database;
}

void committer_give_up(struct spool *spool)
{
    for (struct spool_update *update = spool->committer.waiting.updates, *next; update;
         update = next) {
        next = update->state.next;
        update->result = -ESHUTDOWN;
        update->is_finished = false;
        send_update(update);
    }
    group_init(&spool->committer.waiting);
}
