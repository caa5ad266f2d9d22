/* Reading all rows back: messages and recipients lie in the same order, so two reads in step are
 * one pass over each table. */
#include <errno.h>
#include <stdlib.h>

#include "relay/spool/store_rows.h"
#include "sql/queue_schema.h"

void store_read_recipient(struct statement *read, struct recipient_row *row)
{
    *row = (struct recipient_row){
        .n = (uint32_t)column_number(read, 1),
        .address = column_text(read, 2),
        .state = (enum recipient_state)column_number(read, 3),
        .attempts = (uint32_t)column_number(read, 4),
        .next_utc_ms = column_number(read, 5),
        .flags = (uint32_t)column_number(read, 6),
        .reply = column_text(read, 7),
        .host = column_text(read, 8),
        .tried_utc_ms = column_number(read, 9),
    };
}

void store_read_message(struct statement *read, struct message_row *row)
{
    *row = (struct message_row){
        .id = (uint64_t)column_number(read, 0),
        .size = (uint64_t)column_number(read, 3) + (uint64_t)column_number(read, 4),
        .arrived_utc_ms = column_number(read, 6),
        .expires_utc_ms = column_number(read, 7),
        .user_id = (uint32_t)column_number(read, 8),
        .user = column_text(read, 9),
        .sender = column_text(read, 10),
        .flags = (uint32_t)column_number(read, 11) & ~(uint32_t)STORE_FLAG_LARGE,
        .class = (enum message_class)column_number(read, 12),
        .campaign = column_text(read, 13),
        .n_recipients = (uint32_t)column_number(read, 14),
    };
}

struct stored *store_read_stored(struct statement *read)
{
    struct stored *stored = calloc(1, sizeof(*stored));
    uint32_t flags = (uint32_t)column_number(read, 11);
    int64_t life_ms = column_number(read, 7) - column_number(read, 6);

    if (!stored)
        return NULL;
    stored->id = (uint64_t)column_number(read, 0);
    atomic_init(&stored->place, (uint64_t)column_number(read, 1));
    stored->envelope_bytes = (uint32_t)column_number(read, 2);
    stored->header_bytes = (uint32_t)column_number(read, 3);
    stored->body_bytes = (uint32_t)column_number(read, 4);
    stored->crc = (uint32_t)column_number(read, 5);
    stored->arrived_utc_ms = column_number(read, 6);
    stored->life_s = life_ms > 0 ? (uint32_t)(life_ms / 1000) : 0;
    stored->user_id = (uint32_t)column_number(read, 8);
    stored->sender_hash = stored_hash(column_text(read, 10));
    stored->flags = (uint16_t)flags;
    stored->is_large = flags & STORE_FLAG_LARGE;
    stored->class = (uint8_t)column_number(read, 12);
    atomic_init(&stored->n_references, 1);
    return stored;
}

/* ---- recipients of one message, their texts kept until the next ---- */

void recipient_rows_fini(struct recipient_rows *rows)
{
    buffer_fini(&rows->texts);
    free(rows->rows);
}

void recipient_rows_clear(struct recipient_rows *rows)
{
    rows->n_rows = 0;
    buffer_clear(&rows->texts);
}

static int make_room(struct recipient_rows *rows)
{
    uint32_t capacity = rows->capacity ? rows->capacity * 2 : 16;
    struct recipient_row *grown;

    if (rows->n_rows < rows->capacity)
        return 0;
    grown = realloc(rows->rows, capacity * sizeof(*grown));
    if (!grown)
        return FAULT(-ENOMEM);
    rows->rows = grown;
    rows->capacity = capacity;
    return 0;
}

int recipient_rows_add(struct recipient_rows *rows, const struct recipient_row *row)
{
    int error = make_room(rows);

    if (error)
        return error;
    rows->rows[rows->n_rows++] = *row;
    buffer_append(&rows->texts, row->address);
    buffer_append(&rows->texts, row->reply);
    buffer_append(&rows->texts, row->host);
    return buffer_error(&rows->texts);
}

/* The buffer moved while it grew; only lengths were kept. */
void recipient_rows_settle(struct recipient_rows *rows, const struct message_row *message)
{
    const char *text = rows->texts.data;

    for (uint32_t i = 0; i < rows->n_rows; i++) {
        struct recipient_row *row = &rows->rows[i];

        row->address.data = text;
        text += row->address.len;
        row->reply.data = text;
        text += row->reply.len;
        row->host.data = text;
        text += row->host.len;
        row->campaign = message->campaign;
        row->sender = message->sender;
        row->user = message->user;
    }
}

/* ---- the scan ---- */

struct scan {
    struct statement *messages, *recipients;
    int recipient_result; /* of the last step of recipients */
    struct recipient_rows rows;
};

/* Recipients without a message cannot exist; if some do, they are passed over. */
static int collect_rows(struct scan *scan, uint64_t id)
{
    recipient_rows_clear(&scan->rows);
    while (scan->recipient_result == STATEMENT_ROW) {
        uint64_t message = (uint64_t)column_number(scan->recipients, 0);
        struct recipient_row row;
        int error;

        if (message > id)
            return 0;
        if (message == id) {
            store_read_recipient(scan->recipients, &row);
            error = recipient_rows_add(&scan->rows, &row);
            if (error)
                return error;
        }
        scan->recipient_result = statement_step(scan->recipients);
    }
    return scan->recipient_result;
}

static int visit_message(struct scan *scan, store_row_callback *on_message, void *owner)
{
    struct message_row message;
    struct stored *stored;
    int error = collect_rows(scan, (uint64_t)column_number(scan->messages, 0));

    if (error < 0)
        return error;
    stored = store_read_stored(scan->messages);
    if (!stored)
        return FAULT(-ENOMEM);
    store_read_message(scan->messages, &message);
    recipient_rows_settle(&scan->rows, &message);
    stored->n_open = scan->rows.n_rows;
    stored->is_single = scan->rows.n_rows == 1;
    error = on_message(owner, stored, scan->rows.rows, scan->rows.n_rows);
    stored_unref(stored);
    return error;
}

int store_scan(struct store *store, store_row_callback *on_message, void *owner)
{
    struct scan scan = {
        .messages = db_statement(store->db, QUEUE_ALL_MESSAGES),
        .recipients = db_statement(store->db, QUEUE_ALL_RECIPIENTS),
    };
    int result;

    scan.recipient_result = statement_step(scan.recipients);
    result = scan.recipient_result < 0 ? scan.recipient_result : statement_step(scan.messages);
    while (result == STATEMENT_ROW) {
        result = visit_message(&scan, on_message, owner);
        if (result == 0)
            result = statement_step(scan.messages);
        else if (result > 0)
            result = -EINVAL;
    }
    statement_reset(scan.messages);
    statement_reset(scan.recipients);
    recipient_rows_fini(&scan.rows);
    return result;
}

int store_walk_failures(struct store *store)
{
    struct statement *read = db_statement(store->db, QUEUE_ALL_FAILURES);
    int result;

    do
        result = statement_step(read);
    while (result == STATEMENT_ROW);
    return result;
}
