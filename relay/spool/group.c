/* The rows of a group: one transaction, and what becomes visible after its COMMIT. */
#include "relay/base/clock.h"
#include "relay/spool/doubts.h"
#include "relay/spool/parts.h"

void group_init(struct group *group)
{
    group->appends = NULL;
    group->updates = NULL;
    group->last_append = &group->appends;
    group->last_update = &group->updates;
    group->n_moves = 0;
    group->has_unready = false;
    group->is_pressing = false;
}

void group_add_append(struct group *group, struct spool_append *append)
{
    append->result = 0;
    append->state.next = NULL;
    append->state.stored = NULL;
    *group->last_append = append;
    group->last_append = &append->state.next;
    group->is_pressing = true;
}

void group_add_update(struct group *group, struct spool_update *update)
{
    update->state.next = NULL;
    update->result = 0;
    update->is_finished = false;
    update->state.is_ready = false;
    update->state.n_finished = 0;
    *group->last_update = update;
    group->last_update = &update->state.next;
    group->is_pressing |= !update->can_wait;
}

void group_put_in_front(struct group *waiting, struct group *blocked)
{
    if (!blocked->updates)
        return;
    *blocked->last_update = waiting->updates;
    if (!waiting->updates)
        waiting->last_update = blocked->last_update;
    waiting->updates = blocked->updates;
    waiting->is_pressing = true;
}

/* The lists' heads move with the struct, their ends must be found anew. */
void group_take(struct group *group, struct group *waiting)
{
    group_init(group);
    if (waiting->appends) {
        group->appends = waiting->appends;
        group->last_append = waiting->last_append;
    }
    if (waiting->updates) {
        group->updates = waiting->updates;
        group->last_update = waiting->last_update;
    }
    group_init(waiting);
}

/* ---- the transaction ---- */

static int add_reports(struct spool *spool, const struct spool_update *update)
{
    int error = 0;

    for (uint32_t i = 0; !error && i < update->n_reports; i++)
        error =
            store_add(&spool->store, update->reports[i].state.stored, update->reports[i].envelope);
    return error;
}

static int add_failures(struct spool *spool, const struct spool_update *update)
{
    int error = 0;

    for (uint32_t i = 0; !error && i < update->n_failures; i++)
        error = store_add_failure(&spool->store, &update->failures[i]);
    return error;
}

static int add_message(struct spool *spool, const struct spool_append *append)
{
    int error = store_add(&spool->store, append->state.stored, append->envelope);

    if (!error && append->tells)
        error = store_remove_failures(&spool->store, append->tells);
    return error;
}

/* n_open is taken down at once, since two updates of one message may share a group. */
static int apply_update(struct spool *spool, struct spool_update *update)
{
    struct stored *stored = update->stored;
    uint32_t n_finished = 0;
    int error = store_change(&spool->store, update, &n_finished);

    if (!error)
        error = add_reports(spool, update);
    if (!error)
        error = add_failures(spool, update);
    if (error)
        return error;
    assert(n_finished <= stored->n_open);
    stored->n_open -= n_finished;
    update->state.n_finished = n_finished;
    return n_finished && stored->n_open == 0 ? store_remove(&spool->store, stored->id) : 0;
}

static int apply_group(struct spool *spool, const struct group *group)
{
    int error = 0;

    for (struct spool_update *update = group->updates; update && !error;
         update = update->state.next) {
        if (update->state.is_ready)
            error = apply_update(spool, update);
    }
    for (struct spool_append *append = group->appends; append && !error;
         append = append->state.next) {
        if (append->result == 0)
            error = add_message(spool, append);
    }
    for (uint32_t i = 0; i < group->n_moves && !error; i++)
        error = store_move(&spool->store, group->moves[i].stored->id, group->moves[i].place);
    return error;
}

static void undo_counts(const struct group *group)
{
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        update->stored->n_open += update->state.n_finished;
        update->state.n_finished = 0;
    }
}

static int store_facts(struct spool *spool, bool distrusts)
{
    int error = store_remember(&spool->store, "committed", clock_utc_ms());

    return !error && distrusts ? doubts_distrust(&spool->store) : error;
}

int group_transact(struct spool *spool, const struct group *group)
{
    bool distrusts =
        !spool->distrusts_marks && (spool->committer.has_failed || spool->segments.has_abandoned);
    int error;

    for (struct spool_update *update = group->updates; update; update = update->state.next)
        update->state.n_finished = 0;
    error = store_begin(&spool->store);
    if (error)
        return error;
    error = apply_group(spool, group);
    if (!error)
        error = store_facts(spool, distrusts);
    if (!error)
        error = store_commit(&spool->store);
    if (error) {
        store_rollback(&spool->store);
        undo_counts(group);
        return error;
    }
    spool->distrusts_marks |= distrusts;
    return 0;
}

/* ---- after COMMIT ---- */

static void publish_message(struct spool *spool, struct spool_append *append)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;
    struct stored *stored = TAKE(append->state.stored);

    append->large = large_close(append->large);
    segments_add(&spool->segments, stored);
    atomic_fetch_add(&spool->n_appended, 1);
    atomic_fetch_add(&spool->n_messages, 1);
    if (callbacks->on_committed)
        callbacks->on_committed(callbacks->owner, stored, append->envelope);
    else
        stored_unref(stored);
}

static void publish_update(struct spool *spool, struct spool_update *update)
{
    struct stored *stored = update->stored;

    for (uint32_t i = 0; i < update->n_reports; i++)
        publish_message(spool, &update->reports[i]);
    atomic_fetch_add(&spool->n_finished, update->state.n_finished);
    /* Of several updates that ended the message in this group, one says so. */
    update->is_finished =
        update->state.n_finished && stored->n_open == 0 && stored->place != PLACE_NONE;
    if (!update->is_finished)
        return;
    if (stored->is_large)
        large_remove(spool->io, spool->large_dir_fd, stored->id);
    segments_remove(&spool->segments, stored);
    atomic_fetch_sub(&spool->n_messages, 1);
}

static void publish_move(struct spool *spool, const struct move *move)
{
    uint64_t old_place = atomic_load(&move->stored->place);

    segments_move(&spool->segments, move->stored, move->place);
    marks_carry(spool, move, old_place);
}

void group_publish(struct spool *spool, struct group *group)
{
    for (uint32_t i = 0; i < group->n_moves; i++)
        publish_move(spool, &group->moves[i]);
    group->n_moves = 0;
    for (struct spool_append *append = group->appends; append; append = append->state.next) {
        if (append->result == 0)
            publish_message(spool, append);
    }
    /* All marks first: they need the place that a finished message no longer has. */
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        if (update->state.is_ready)
            marks_finish(spool, update);
    }
    for (struct spool_update *update = group->updates; update; update = update->state.next) {
        if (update->state.is_ready)
            publish_update(spool, update);
    }
}
