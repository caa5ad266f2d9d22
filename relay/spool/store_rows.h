/* Rows as read from the queue's tables; shared by the writer's scan and the panel's reader.
 * Column order: every SELECT of sql/queries_queue.sql lists the same columns.
 * Thread: the connection's. */
#pragma once

#include "relay/spool/spool_reader.h"
#include "relay/spool/store.h"

enum { STORE_FLAG_LARGE = 1 << 20 }; /* in message.flags, above enum message_flags */

void store_read_recipient(struct statement *read, struct recipient_row *row);
void store_read_message(struct statement *read, struct message_row *row); /* without recipients */
struct stored *store_read_stored(struct statement *read); /* one reference; NULL without memory */

/* Rows with the texts they show. */
struct recipient_rows {
    struct recipient_row *rows;
    uint32_t n_rows, capacity;
    struct buffer texts;
};

void recipient_rows_clear(struct recipient_rows *rows);
void recipient_rows_fini(struct recipient_rows *rows);
MUST_USE int recipient_rows_add(struct recipient_rows *rows, const struct recipient_row *row);

/* To be called once when all are added: makes the slices point at the kept texts. */
void recipient_rows_settle(struct recipient_rows *rows, const struct message_row *message);
