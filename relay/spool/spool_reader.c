#include "relay/spool/spool_reader_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "sql/queue_schema.h"

enum { ROWS_PER_READ = 256 };

int spool_reader_new(struct spool_reader **out, const char *dir)
{
    struct spool_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return FAULT(-ENOMEM);
    reader->dir = strdup(dir);
    if (!reader->dir) {
        free(reader);
        return FAULT(-ENOMEM);
    }
    pthread_mutex_init(&reader->lock, NULL);
    *out = reader;
    return 0;
}

struct spool_reader *spool_reader_free(struct spool_reader *reader)
{
    if (!reader)
        return NULL;
    db_close(reader->db);
    recipient_rows_fini(&reader->rows);
    pthread_mutex_destroy(&reader->lock);
    free(reader->dir);
    free(reader);
    return NULL;
}

void spool_reader_interrupt(struct spool_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    if (reader->db)
        db_interrupt(reader->db);
    pthread_mutex_unlock(&reader->lock);
}

/* The spool may have gone over to another file since the last call. */
int spool_reader_open(struct spool_reader *reader)
{
    char name[STORE_NAME_SIZE], path[PATH_MAX];
    struct db *fresh = NULL, *old;
    int error = store_current_name(reader->dir, name);

    if (error || (reader->db && strcmp(name, reader->name) == 0))
        return error;
    if (snprintf(path, sizeof(path), "%s/%s", reader->dir, name) >= (int)sizeof(path))
        return FAULT(-ENAMETOOLONG);
    error = db_open(&fresh, path, &queue_schema, DB_READ, NULL);
    if (error)
        return error;
    memcpy(reader->name, name, sizeof(name));
    pthread_mutex_lock(&reader->lock);
    old = reader->db;
    reader->db = fresh;
    pthread_mutex_unlock(&reader->lock);
    db_close(old);
    return 0;
}

/* ---- the filter ---- */

/* wanted is an address, or a domain: what stands behind the last @ of address. */
static bool matches_address(struct slice address, struct slice wanted)
{
    ptrdiff_t at = slice_find_last(address, '@');

    if (wanted.len == 0)
        return true;
    if (slice_find(wanted, '@') >= 0)
        return slice_equal_ignoring_case(address, wanted);
    return at >= 0 && slice_equal_ignoring_case(slice_skip(address, (size_t)at + 1), wanted);
}

static bool matches_message(const struct message_row *row, const struct queue_filter *filter)
{
    if (filter->user.len && !slice_equal(row->user, filter->user))
        return false;
    if (filter->older_than_utc_ms && row->arrived_utc_ms >= filter->older_than_utc_ms)
        return false;
    if (filter->larger_than && row->size <= filter->larger_than)
        return false;
    return matches_address(row->sender, filter->sender);
}

static bool matches_recipient(const struct recipient_row *row, const struct queue_filter *filter)
{
    if (filter->has_state && row->state != filter->state)
        return false;
    return matches_address(row->address, filter->recipient);
}

/* ---- listing ---- */

struct listing {
    struct spool_reader *reader;
    const struct queue_filter *filter;
    uint32_t n_wanted; /* messages still to be shown */
    queue_row_callback *on_row;
    void *owner;
    uint32_t n_read; /* rows, of both kinds */
};

enum { LISTING_STOP = 2, LISTING_FULL = 3 };

static bool is_wanted(const struct listing *listing, uint64_t id, const struct recipient_row *row)
{
    const struct queue_filter *filter = listing->filter;

    return matches_recipient(row, filter) &&
           (!filter->wants || filter->wants(listing->owner, id, row));
}

static int read_recipients(struct listing *listing, uint64_t id)
{
    struct spool_reader *reader = listing->reader;
    struct statement *read = db_statement(reader->db, QUEUE_RECIPIENTS_OF);
    uint32_t most = listing->filter->most_recipients;
    struct recipient_row row;
    int result;

    recipient_rows_clear(&reader->rows);
    bind_number(read, 1, (int64_t)id);
    while ((result = statement_step(read)) == STATEMENT_ROW) {
        store_read_recipient(read, &row);
        listing->n_read++;
        result = is_wanted(listing, id, &row) ? recipient_rows_add(&reader->rows, &row) : 0;
        if (result || (most && reader->rows.n_rows == most)) {
            statement_reset(read);
            break;
        }
    }
    return result < 0 ? result : 0;
}

/* 0, LISTING_STOP, or -errno. */
static int visit_message(struct listing *listing, struct statement *read)
{
    struct recipient_rows *rows = &listing->reader->rows;
    struct message_row message;
    int error;

    listing->n_read++;
    store_read_message(read, &message);
    if (!matches_message(&message, listing->filter))
        return 0;
    error = read_recipients(listing, message.id);
    if (error || rows->n_rows == 0)
        return error;
    recipient_rows_settle(rows, &message);
    message.recipients = rows->rows;
    message.n_rows = rows->n_rows;
    listing->n_wanted--;
    if (!listing->on_row(listing->owner, &message) || listing->n_wanted == 0)
        return LISTING_STOP;
    return 0;
}

/* Steps through the messages of a prepared read, until max_read rows of both kinds have been read;
 * *n_seen counts messages, *last_id is the last one's. */
static int visit_all(struct listing *listing, struct statement *read, uint32_t max_read,
                     uint32_t *n_seen, uint64_t *last_id)
{
    int result;

    while ((result = statement_step(read)) == STATEMENT_ROW) {
        (*n_seen)++;
        *last_id = (uint64_t)column_number(read, 0);
        result = visit_message(listing, read);
        if (result == 0 && listing->n_read >= max_read)
            result = LISTING_FULL;
        if (result) {
            statement_reset(read);
            break;
        }
    }
    return result;
}

static int find_one(struct listing *listing, uint64_t id)
{
    struct statement *find = db_statement(listing->reader->db, QUEUE_FIND_MESSAGE);
    uint32_t n_seen = 0;
    uint64_t last_id;
    int result;

    bind_number(find, 1, (int64_t)id);
    result = visit_all(listing, find, UINT32_MAX, &n_seen, &last_id);
    return result < 0 ? result : 0;
}

static int list_slices(struct listing *listing, uint32_t max_scanned, uint64_t *cursor)
{
    uint64_t last_id = listing->filter->after_id;

    while (listing->n_read < max_scanned) {
        struct statement *next = db_statement(listing->reader->db, QUEUE_NEXT_MESSAGES);
        uint32_t n_left = max_scanned - listing->n_read, n_seen = 0;
        uint32_t n_asked = n_left < ROWS_PER_READ ? n_left : ROWS_PER_READ;
        int result;

        bind_number(next, 1, (int64_t)last_id);
        bind_number(next, 2, n_asked);
        result = visit_all(listing, next, max_scanned, &n_seen, &last_id);
        if (result < 0)
            return result;
        if (result == 0 && n_seen < n_asked)
            last_id = 0; /* the end */
        *cursor = last_id;
        if (result == LISTING_STOP || last_id == 0)
            return 0;
    }
    return 0;
}

int spool_reader_list(struct spool_reader *reader, const struct queue_filter *filter,
                      uint32_t limit, uint32_t max_scanned, queue_row_callback *on_row, void *owner,
                      uint64_t *cursor)
{
    struct listing listing = {reader, filter, limit, on_row, owner, 0};
    int error = spool_reader_open(reader);

    if (error)
        return error;
    if (limit == 0)
        return FAULT(-EINVAL);
    if (filter->id) {
        *cursor = 0;
        return find_one(&listing, filter->id);
    }
    return list_slices(&listing, max_scanned, cursor);
}
