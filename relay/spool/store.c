#include "relay/spool/store.h"

#include <errno.h>
#include <stdio.h>

#include "relay/spool/store_rows.h"
#include "sql/queue_schema.h"

int store_begin(struct store *store)
{
    return store->db ? db_begin(store->db) : -EIO;
}

int store_commit(struct store *store)
{
    return db_commit(store->db);
}

void store_rollback(struct store *store)
{
    if (store->db)
        db_rollback(store->db);
}

/* An empty slice is a value, not NULL. */
static struct slice not_null(struct slice text)
{
    return text.data ? text : SLICE_LITERAL("");
}

static struct slice null_if_empty(struct slice text)
{
    return text.len ? text : (struct slice){0};
}

static void bind_time(struct statement *statement, int index, int64_t utc_ms)
{
    if (utc_ms)
        bind_number(statement, index, utc_ms);
    else
        bind_blob(statement, index, (struct slice){0}); /* NULL */
}

int store_add_message(struct store *store, const struct stored *stored,
                      const struct envelope *envelope)
{
    struct statement *add = db_statement(store->db, QUEUE_ADD_MESSAGE);

    bind_number(add, 1, (int64_t)stored->id);
    bind_number(add, 2, (int64_t)stored->place);
    bind_number(add, 3, stored->envelope_bytes);
    bind_number(add, 4, stored->header_bytes);
    bind_number(add, 5, stored->body_bytes);
    bind_number(add, 6, stored->crc);
    bind_number(add, 7, stored->arrived_utc_ms);
    bind_number(add, 8, stored_expires_utc_ms(stored));
    bind_number(add, 9, stored->user_id);
    bind_text(add, 10, not_null(envelope->user));
    bind_text(add, 11, not_null(envelope->sender));
    bind_number(add, 12, stored->flags | (stored->is_large ? STORE_FLAG_LARGE : 0));
    bind_number(add, 13, stored->class);
    bind_text(add, 14, null_if_empty(envelope->campaign));
    bind_number(add, 15, envelope->n_recipients);
    return statement_run(add);
}

int store_add_recipient(struct store *store, uint64_t id, const struct recipient_row *row)
{
    struct statement *add = db_statement(store->db, QUEUE_ADD_RECIPIENT);

    bind_number(add, 1, (int64_t)id);
    bind_number(add, 2, row->n);
    bind_text(add, 3, not_null(row->address));
    bind_number(add, 4, row->state);
    bind_number(add, 5, row->attempts);
    bind_number(add, 6, row->next_utc_ms);
    bind_number(add, 7, row->flags);
    bind_text(add, 8, null_if_empty(row->reply));
    bind_text(add, 9, null_if_empty(row->host));
    bind_time(add, 10, row->tried_utc_ms);
    return statement_run(add);
}

static void hold_row(const struct message_hold *hold, struct recipient_row *row)
{
    row->state = RECIPIENT_HELD;
    row->reply = hold->reason;
    if (hold->is_braked)
        row->flags |= RECIPIENT_BRAKED;
    if (hold->until_utc_ms) {
        row->flags |= RECIPIENT_TIMED;
        row->next_utc_ms = hold->until_utc_ms;
    }
}

int store_add(struct store *store, const struct stored *stored, const struct envelope *envelope)
{
    int error = store_add_message(store, stored, envelope);

    for (uint32_t i = 0; !error && i < envelope->n_recipients; i++) {
        struct recipient_row row = {
            .n = i + 1,
            .address = envelope->recipients[i].address,
            .next_utc_ms = stored->arrived_utc_ms,
            .flags = stored->is_open ? RECIPIENT_OPEN : 0,
        };

        if (envelope->hold)
            hold_row(envelope->hold, &row);
        error = store_add_recipient(store, stored->id, &row);
    }
    return error;
}

/* ---- changes ---- */

static int finish_recipient(struct store *store, uint64_t id, const struct spool_change *change)
{
    struct statement *remove = db_statement(store->db, QUEUE_REMOVE_RECIPIENT);

    bind_number(remove, 1, (int64_t)id);
    bind_number(remove, 2, change->n);
    return statement_run(remove);
}

static int change_row(struct store *store, uint64_t id, const struct spool_change *change)
{
    struct statement *row = db_statement(store->db, QUEUE_CHANGE_RECIPIENT);

    bind_number(row, 1, (int64_t)id);
    bind_number(row, 2, change->n);
    bind_number(row, 3, change->state);
    bind_number(row, 4, change->attempts);
    bind_number(row, 5, change->next_utc_ms);
    bind_number(row, 6, change->flags);
    bind_text(row, 7, change->reply);
    bind_text(row, 8, change->host);
    bind_time(row, 9, change->tried_utc_ms);
    return statement_run(row);
}

int store_settle(struct store *store, uint64_t id, const struct recipient_row *row)
{
    const struct spool_change change = {
        .n = row->n,
        .state = row->state,
        .attempts = row->attempts,
        .flags = row->flags,
        .next_utc_ms = row->next_utc_ms,
        .reply = null_if_empty(row->reply),
    };

    return change_row(store, id, &change);
}

static int mark_row(struct store *store, uint64_t id, const struct spool_change *change)
{
    struct statement *mark = db_statement(store->db, QUEUE_MARK_RECIPIENT);

    bind_number(mark, 1, (int64_t)id);
    bind_number(mark, 2, change->n);
    bind_number(mark, 3, change->flags);
    return statement_run(mark);
}

/* Recipients that follow one another in n, host and all: one statement for a whole transaction. */
static uint32_t count_run(const struct spool_change *changes, uint32_t n_changes)
{
    uint32_t n = 1;

    while (n < n_changes && changes[n].kind == CHANGE_OPEN && changes[n].n == changes[0].n + n)
        n++;
    return n;
}

static int open_rows(struct store *store, uint64_t id, const struct spool_change *first, uint32_t n)
{
    struct statement *open = db_statement(store->db, QUEUE_OPEN_RECIPIENTS);

    bind_number(open, 1, (int64_t)id);
    bind_number(open, 2, first->n);
    bind_number(open, 3, first->n + n - 1);
    bind_number(open, 4, RECIPIENT_OPEN);
    bind_text(open, 5, null_if_empty(first->host));
    bind_time(open, 6, first->tried_utc_ms);
    return statement_run(open);
}

int store_change(struct store *store, const struct spool_update *update, uint32_t *n_finished)
{
    static int (*const apply[])(struct store *, uint64_t, const struct spool_change *) = {
        [CHANGE_FINISHED] = finish_recipient,
        [CHANGE_ROW] = change_row,
        [CHANGE_MARK] = mark_row,
    };
    uint64_t id = update->stored->id;
    int error = 0;
    uint32_t n_run;

    *n_finished = 0;
    for (uint32_t i = 0; !error && i < update->n_changes; i += n_run) {
        const struct spool_change *change = &update->changes[i];

        n_run = change->kind == CHANGE_OPEN ? count_run(change, update->n_changes - i) : 1;
        error = change->kind == CHANGE_OPEN ? open_rows(store, id, change, n_run)
                                            : apply[change->kind](store, id, change);
        /* A recipient that somebody else finished first is not finished twice. */
        if (!error && change->kind == CHANGE_FINISHED)
            *n_finished += (uint32_t)db_changes(store->db);
    }
    return error;
}

int store_remove(struct store *store, uint64_t id)
{
    struct statement *remove = db_statement(store->db, QUEUE_REMOVE_MESSAGE);

    bind_number(remove, 1, (int64_t)id);
    return statement_run(remove);
}

int store_move(struct store *store, uint64_t id, uint64_t place)
{
    struct statement *move = db_statement(store->db, QUEUE_MOVE_MESSAGE);

    bind_number(move, 1, (int64_t)id);
    bind_number(move, 2, (int64_t)place);
    return statement_run(move);
}
