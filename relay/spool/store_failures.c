/* Failed recipients that wait for a digest: rows by user and sender, read and removed together. */
#include <errno.h>

#include "relay/spool/store.h"
#include "sql/queue_schema.h"

/* Column order of the SELECTs in sql/queries_queue.sql. */
enum {
    USER_ID,
    SENDER,
    ID,
    USER,
    MESSAGE,
    N,
    FAILED,
    ADDRESS,
    ORCPT,
    ENVID,
    STATUS,
    MX,
    DIAGNOSTIC,
    REASON,
    MESSAGE_ID,
    SUBJECT,
};

static struct slice not_null(struct slice text)
{
    return text.data ? text : SLICE_LITERAL("");
}

int store_add_failure(struct store *store, const struct failure *failure)
{
    struct statement *add = db_statement(store->db, QUEUE_ADD_FAILURE);

    bind_number(add, USER_ID + 1, failure->user_id);
    bind_text(add, SENDER + 1, not_null(failure->sender));
    bind_text(add, USER + 1, not_null(failure->user));
    bind_number(add, MESSAGE + 1, (int64_t)failure->message);
    bind_number(add, N + 1, failure->n);
    bind_number(add, FAILED + 1, failure->failed_utc_ms);
    bind_text(add, ADDRESS + 1, not_null(failure->address));
    bind_text(add, ORCPT + 1, not_null(failure->orcpt));
    bind_text(add, ENVID + 1, not_null(failure->envid));
    bind_text(add, STATUS + 1, not_null(failure->status));
    bind_text(add, MX + 1, not_null(failure->mx));
    bind_text(add, DIAGNOSTIC + 1, not_null(failure->diagnostic));
    bind_text(add, REASON + 1, not_null(failure->reason));
    bind_text(add, MESSAGE_ID + 1, not_null(failure->message_id));
    bind_text(add, SUBJECT + 1, not_null(failure->subject));
    return statement_run(add);
}

int store_remove_failures(struct store *store, const struct failures_told *told)
{
    struct statement *remove = db_statement(store->db, QUEUE_REMOVE_FAILURES);

    bind_number(remove, 1, told->user_id);
    bind_text(remove, 2, not_null(told->sender));
    bind_number(remove, 3, (int64_t)told->last_id);
    return statement_run(remove);
}

/* ---- reading ---- */

static struct slice *text_of(struct failure *row, int column)
{
    struct slice *const texts[] = {
        [SENDER] = &row->sender,   [USER] = &row->user,
        [ADDRESS] = &row->address, [ORCPT] = &row->orcpt,
        [ENVID] = &row->envid,     [STATUS] = &row->status,
        [MX] = &row->mx,           [DIAGNOSTIC] = &row->diagnostic,
        [REASON] = &row->reason,   [MESSAGE_ID] = &row->message_id,
        [SUBJECT] = &row->subject,
    };

    return texts[column];
}

/* Adds to *n_bytes what its texts take. */
static int read_failure(struct statement *read, struct arena *arena, struct failure *row,
                        size_t *n_bytes)
{
    *row = (struct failure){
        .id = (uint64_t)column_number(read, ID),
        .user_id = (uint32_t)column_number(read, USER_ID),
        .message = (uint64_t)column_number(read, MESSAGE),
        .n = (uint32_t)column_number(read, N),
        .failed_utc_ms = column_number(read, FAILED),
    };
    for (int column = SENDER; column <= SUBJECT; column++) {
        struct slice *text = text_of(row, column);

        if (!text)
            continue;
        *text = arena_copy(arena, column_text(read, column));
        if (!text->data)
            return FAULT(-ENOMEM);
        *n_bytes += text->len;
    }
    return 0;
}

/* STATEMENT_ROW: there are more than the bounds allow. */
static int read_bounded(struct statement *read, struct spool_collect *collect)
{
    size_t n_bytes = 0;
    int result;

    while ((result = statement_step(read)) == STATEMENT_ROW) {
        struct failure row;

        if (spool_collected(collect) == collect->most || n_bytes > collect->most_bytes)
            return STATEMENT_ROW;
        result = read_failure(read, collect->arena, &row, &n_bytes);
        buffer_append(&collect->rows, slice_from(&row, sizeof(row)));
        if (result == 0)
            result = buffer_error(&collect->rows);
        if (result < 0)
            return result;
    }
    return result;
}

int store_collect(struct store *store, struct spool_collect *collect)
{
    struct statement *read;
    int result;

    buffer_clear(&collect->rows);
    collect->has_more = false;
    if (!store->db)
        return -EIO;
    read = db_statement(store->db, QUEUE_FAILURES_OF);
    bind_number(read, 1, collect->user_id);
    bind_text(read, 2, not_null(collect->sender));
    bind_number(read, 3, (int64_t)collect->most + 1);
    result = read_bounded(read, collect);
    statement_reset(read);
    collect->has_more = result == STATEMENT_ROW;
    if (result < 0)
        buffer_clear(&collect->rows);
    return result < 0 ? result : 0;
}

int store_scan_failures(struct store *store, store_waiting_callback *on_waiting, void *owner)
{
    struct statement *read = db_statement(store->db, QUEUE_WAITING_FAILURES);
    int result;

    while ((result = statement_step(read)) == STATEMENT_ROW) {
        const struct failures_waiting waiting = {
            .user_id = (uint32_t)column_number(read, 0),
            .sender = column_text(read, 1),
            .n = (uint32_t)column_number(read, 2),
            .first_utc_ms = column_number(read, 3),
        };

        on_waiting(owner, &waiting);
    }
    return result;
}
