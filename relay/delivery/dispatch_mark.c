/* The journal of final dots: before one leaves, the rows say whom it is for, to whom and when
 * (CHANGE_OPEN); lost connections behind it. */
#include <errno.h>

#include "relay/base/clock.h"
#include "relay/delivery/dispatch_private.h"
#include "relay/delivery/doubt.h"
#include "relay/spool/marks.h"

static bool needs_mark(const struct dispatch *dispatch, uint32_t i)
{
    return !dispatch->is_answered[i] && !(dispatch->entries[i]->flags & ENTRY_OPEN);
}

/* Nothing was committed: the service stops, or there is no memory. */
static void give_up(struct dispatch *dispatch)
{
    struct connection *connection = TAKE(dispatch->connection);

    connection_abort(connection);
    dispatch_judge_rest(dispatch, &(struct judgement){.verdict = VERDICT_AGAIN});
    dispatch_finish(dispatch);
}

static void on_marked(struct spool_update *update)
{
    struct dispatch *dispatch = CONTAINER_OF(update, struct dispatch, mark);

    dispatch->is_marking = false;
    if (dispatch->is_over) {
        dispatch_end_late(dispatch);
        return;
    }
    for (uint32_t i = 0; i < dispatch->n_entries && update->result == 0; i++)
        if (!dispatch->is_answered[i])
            dispatch->entries[i]->flags |= ENTRY_OPEN;
    dispatch->has_mark = update->result == 0;
    if (!dispatch->awaits_mark)
        return;
    dispatch->awaits_mark = false;
    if (update->result < 0)
        give_up(dispatch);
    else
        dispatch_end_body(dispatch);
}

static uint32_t fill_changes(struct dispatch *dispatch, struct spool_change *changes,
                             struct slice host)
{
    int64_t now_utc_ms = clock_utc_ms();
    uint32_t n = 0;

    for (uint32_t i = 0; i < dispatch->n_entries; i++) {
        if (!needs_mark(dispatch, i))
            continue;
        changes[n++] = (struct spool_change){.kind = CHANGE_OPEN,
                                             .n = dispatch->entries[i]->n,
                                             .host = host,
                                             .tried_utc_ms = now_utc_ms};
    }
    return n;
}

/* Mail that was marked at its arrival needs nothing here. */
void dispatch_mark(struct dispatch *dispatch)
{
    struct spool_change *changes;
    struct slice host;
    uint32_t n_needed = 0;

    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        n_needed += needs_mark(dispatch, i);
    if (n_needed == 0 || dispatch->is_marking)
        return;
    changes = arena_alloc(&dispatch->arena, n_needed * sizeof(*changes));
    /* A copy: the outcome may be gone before the mark is committed. */
    host = arena_copy(&dispatch->arena, dispatch->outcome->place.mx);
    if (!changes || !host.data)
        return; /* asked for again before the dot */
    dispatch->mark = (struct spool_update){
        .answer_to = loop_mailbox(dispatch->shard->loop),
        .done = on_marked,
        .stored = dispatch->letter->stored,
        .changes = changes,
        .n_changes = fill_changes(dispatch, changes, host),
    };
    dispatch->is_marking = true;
    spool_update(dispatch->shard->delivery->spool, &dispatch->mark);
}

/* Rows that were born open do not say whether anything was tried: the record's mark does.  Where it
 * cannot be written, the rows must. */
static void note_begun(struct dispatch *dispatch)
{
    struct delivery_shard *shard = dispatch->shard;
    const struct stored *stored = dispatch->letter->stored;

    if (!stored->is_open || dispatch->has_mark)
        return;
    for (uint32_t i = 0; i < dispatch->n_entries; i++) {
        uint32_t n = dispatch->entries[i]->n;

        if (!dispatch->is_answered[i] && (dispatch->entries[i]->flags & ENTRY_OPEN) &&
            !spool_mark(shard->delivery->spool, stored, &n, 1, MARK_SENT))
            dispatch->entries[i]->flags &= (uint8_t)~ENTRY_OPEN;
    }
}

bool dispatch_is_marked(struct dispatch *dispatch)
{
    note_begun(dispatch);
    dispatch_mark(dispatch);
    for (uint32_t i = 0; i < dispatch->n_entries; i++)
        if (needs_mark(dispatch, i)) {
            dispatch->awaits_mark = true;
            return false;
        }
    return true;
}

/* ---- behind the dot ---- */

static void tell(const struct dispatch *dispatch, uint32_t i)
{
    doubt_tell(&(struct doubt_facts){
        .id = dispatch->letter->stored->id,
        .n = dispatch->entries[i]->n,
        .to = dispatch->recipients[i].address,
        .site = slice_of(dispatch->site->name),
        .mx = dispatch->outcome->place.mx,
        .cause = "connection",
    });
}

void dispatch_judge_doubtful(struct dispatch *dispatch, const struct judgement *judgement)
{
    for (uint32_t i = 0; i < dispatch->n_entries; i++) {
        struct entry *entry = dispatch->entries[i];
        struct judgement own = *judgement;

        if (dispatch->is_answered[i])
            continue;
        tell(dispatch, i);
        entry->flags |= ENTRY_DOUBTFUL;
        doubt_decide(dispatch->shard,
                     slice_of(entry_domain(dispatch->shard->schedule, entry)->name),
                     &dispatch->arena, &own);
        if (own.verdict == VERDICT_HELD)
            schedule_note_attempt(dispatch->shard->schedule, entry);
        dispatch->is_answered[i] = true;
        outcome_add(dispatch->outcome, entry, &own);
    }
}
