/* Reads the queue's rows for the panel and the command line, beside the writer, in slices: between
 * two calls no snapshot is held, so the write-ahead log stays short.
 * Thread: one per reader, any (not a loop: it reads the disk); spool_reader_interrupt() any. */
#pragma once

#include "relay/spool/spool.h"

struct spool_reader;

/* dir: the spool's.  The database is opened at the first use and again when it was replaced. */
MUST_USE int spool_reader_new(struct spool_reader **out, const char *dir);
struct spool_reader *spool_reader_free(struct spool_reader *reader);

/* What is wanted; empty slices and 0 do not restrict. */
struct queue_filter {
    uint64_t after_id;      /* keyset: the cursor of the slice before */
    uint64_t id;            /* just this one */
    struct slice user;      /* name */
    struct slice sender;    /* an address, or a domain without @ */
    struct slice recipient; /* an address, or a domain without @ ("dest") */
    bool has_state;
    enum recipient_state state;
    int64_t older_than_utc_ms; /* arrived before; 0: any time */
    uint64_t larger_than;      /* bytes */
    /* Of each message these alone, beginning with the first; NULL: any.  row's texts are good
     * during the call. */
    bool (*wants)(void *owner, uint64_t id, const struct recipient_row *row);
    uint32_t most_recipients; /* of each message; 0: all that pass */
};

struct message_row {
    uint64_t id;
    int64_t arrived_utc_ms, expires_utc_ms;
    uint64_t size;
    uint32_t user_id, flags, n_recipients; /* recipients at arrival */
    enum message_class class;
    struct slice user, sender, campaign;
    const struct recipient_row *recipients; /* those that wait (and pass the filter) */
    uint32_t n_rows;
};

/* False ends the listing after this row.  Slices are good during the call. */
typedef bool queue_row_callback(void *owner, const struct message_row *row);

/* Calls on_row for at most limit messages; a slice ends with the message by which max_scanned rows
 * (of messages and of recipients) have been read.  *cursor is where to go on, 0 when the queue has
 * been seen to its end.  0, -EINTR or -errno. */
MUST_USE int spool_reader_list(struct spool_reader *reader, const struct queue_filter *filter,
                               uint32_t limit, uint32_t max_scanned, queue_row_callback *on_row,
                               void *owner, uint64_t *cursor);

/* Appends the first `most` bytes of a message that waits, as they are stored: header, then body.
 * *header_bytes: of its header block.  0; -ENOENT: it does not wait any more; -EBADMSG: its bytes
 * are lost; or -errno. */
MUST_USE int spool_reader_bytes(struct spool_reader *reader, uint64_t id, uint64_t most,
                                struct buffer *out, uint32_t *header_bytes);

void spool_reader_interrupt(struct spool_reader *reader);
