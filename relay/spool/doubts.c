#include "relay/spool/doubts.h"

#include <string.h>

#include "relay/base/log.h"

struct settled_row {
    uint64_t id;
    struct recipient_row row; /* its texts follow or are not needed */
};

static void note(struct doubts *doubts, uint64_t id, const struct recipient_row *row)
{
    struct settled_row settled = {.id = id, .row = *row};

    buffer_append(&doubts->settled, slice_from(&settled, sizeof(settled)));
    buffer_append(&doubts->settled, row->reply);
    doubts->n_settled++;
}

static void settle(const struct spool *spool, const struct stored *stored,
                   struct recipient_row *row)
{
    const struct spool_callbacks *callbacks = &spool->settings.callbacks;

    if (row->tried_utc_ms == 0)
        row->tried_utc_ms = stored->arrived_utc_ms; /* marked at its arrival, for that attempt */
    if (callbacks->settle_doubt)
        callbacks->settle_doubt(callbacks->owner, stored, row);
    row->flags = (row->flags | RECIPIENT_DOUBTFUL) & ~(uint32_t)RECIPIENT_OPEN;
}

void doubts_settle(struct doubts *doubts, const struct spool *spool, const struct stored *stored,
                   struct row_list list)
{
    for (uint32_t i = 0; i < list.n_rows; i++) {
        if (!(list.rows[i].flags & RECIPIENT_OPEN))
            continue;
        settle(spool, stored, &list.rows[i]);
        note(doubts, stored->id, &list.rows[i]);
    }
}

static int store_all(const struct doubts *doubts, struct store *store)
{
    const char *at = doubts->settled.data;
    int error = buffer_error(&doubts->settled);

    if (!error)
        error = store_begin(store);
    for (uint32_t i = 0; !error && i < doubts->n_settled; i++) {
        struct settled_row settled;

        memcpy(&settled, at, sizeof(settled));
        at += sizeof(settled);
        settled.row.reply.data = at;
        at += settled.row.reply.len;
        error = store_settle(store, settled.id, &settled.row);
    }
    if (!error)
        error = store_commit(store);
    if (error)
        store_rollback(store);
    return error;
}

void doubts_store(struct doubts *doubts, struct store *store)
{
    if (doubts->n_settled && store_all(doubts, store))
        log_debug("spool", "doubts could not be stored; the next start finds them again");
    buffer_fini(&doubts->settled);
}
