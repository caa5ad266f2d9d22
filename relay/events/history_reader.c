#include "relay/events/history_reader_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "relay/base/clock.h"
#include "sql/history_schema.h"

enum { WINDOW_ROWS = 10000 }; /* looked at between two looks at the clock: some milliseconds */

static const struct db_settings read_settings = {.busy_ms = 200};

int history_reader_new(struct history_reader **out, const char *dir)
{
    struct history_reader *reader = calloc(1, sizeof(*reader));

    if (reader)
        reader->dir = strdup(dir);
    if (!reader || !reader->dir) {
        free(reader);
        return FAULT(-ENOMEM);
    }
    pthread_mutex_init(&reader->lock, NULL);
    *out = reader;
    return 0;
}

struct history_reader *history_reader_free(struct history_reader *reader)
{
    if (!reader)
        return NULL;
    db_close(reader->rows.db);
    db_close(reader->counters.db);
    pthread_mutex_destroy(&reader->lock);
    free(reader->dir);
    free(reader);
    return NULL;
}

void history_reader_interrupt(struct history_reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    if (reader->rows.db)
        db_interrupt(reader->rows.db);
    if (reader->counters.db)
        db_interrupt(reader->counters.db);
    pthread_mutex_unlock(&reader->lock);
}

static void exchange(struct history_reader *reader, struct history_file *file,
                     struct history_file fresh)
{
    struct db *old = file->db;

    pthread_mutex_lock(&reader->lock);
    *file = fresh;
    pthread_mutex_unlock(&reader->lock);
    db_close(old);
}

void history_reader_close(struct history_reader *reader, struct history_file *file)
{
    exchange(reader, file, (struct history_file){.db = NULL});
}

int history_reader_open(struct history_reader *reader, struct history_file *file, const char *name,
                        const struct db_schema *schema)
{
    char path[PATH_MAX];
    struct history_file fresh = {.db = NULL};
    struct stat status;
    int error;

    if (snprintf(path, sizeof(path), "%s/%s", reader->dir, name) >= (int)sizeof(path))
        return FAULT(-ENAMETOOLONG);
    if (stat(path, &status) < 0)
        return -errno;
    if (file->db && file->device == status.st_dev && file->inode == status.st_ino)
        return 0;
    /* Looked at before it is opened: if it is another by then, the next question sees that. */
    fresh.device = status.st_dev;
    fresh.inode = status.st_ino;
    error = db_open(&fresh.db, path, schema, DB_READ, &read_settings);
    if (error == 0)
        exchange(reader, file, fresh);
    return error;
}

static void close_day(struct history_reader *reader)
{
    history_reader_close(reader, &reader->rows);
    reader->day[0] = '\0';
}

static int open_day(struct history_reader *reader, const char *day)
{
    char name[HISTORY_DAY_SIZE + 4];
    int error;

    if (strcmp(day, reader->day) != 0)
        close_day(reader);
    snprintf(name, sizeof(name), "%s.db", day);
    error = history_reader_open(reader, &reader->rows, name, &history_schema);
    if (error == 0)
        slice_copy_to(slice_of(day), reader->day, sizeof(reader->day));
    return error;
}

/* ---- the filter ---- */

static bool contains(struct slice whole, struct slice part)
{
    for (size_t at = 0; at + part.len <= whole.len; at++)
        if (slice_equal_ignoring_case(slice_from(whole.data + at, part.len), part))
            return true;
    return false;
}

static bool is_in_domain(struct slice address, struct slice domain)
{
    ptrdiff_t at = slice_find_last(address, '@');

    return at >= 0 && slice_equal_ignoring_case(slice_skip(address, (size_t)at + 1), domain);
}

static bool matches_address(struct slice address, struct slice wanted)
{
    if (wanted.len == 0)
        return true;
    return slice_find(wanted, '@') >= 0 ? slice_equal_ignoring_case(address, wanted)
                                        : is_in_domain(address, wanted);
}

static bool matches_destination(const struct history_row *row, struct slice wanted)
{
    return wanted.len == 0 || slice_equal_ignoring_case(row->site, wanted) ||
           slice_equal_ignoring_case(row->provider, wanted) || is_in_domain(row->recipient, wanted);
}

static bool matches_text(const struct history_row *row, struct slice wanted)
{
    return wanted.len == 0 || contains(row->recipient, wanted) || contains(row->sender, wanted) ||
           contains(row->reply, wanted) || slice_equal_ignoring_case(row->message, wanted);
}

static bool matches_numbers(const struct history_row *row, const struct history_filter *filter)
{
    if (filter->kinds && !(filter->kinds & 1U << row->kind))
        return false;
    if (filter->from_utc_ms && row->at_utc_ms < filter->from_utc_ms)
        return false;
    if (filter->until_utc_ms && row->at_utc_ms >= filter->until_utc_ms)
        return false;
    return filter->larger_than == 0 || row->size > filter->larger_than;
}

static bool matches(const struct history_row *row, const struct history_filter *filter)
{
    if (filter->user.len && !slice_equal(row->user, filter->user))
        return false;
    if (filter->message.len && !slice_equal_ignoring_case(row->message, filter->message))
        return false;
    if (filter->campaign.len && !slice_equal(row->campaign, filter->campaign))
        return false;
    if (filter->reply.len && !contains(row->reply, filter->reply))
        return false;
    return matches_address(row->sender, filter->sender) &&
           matches_address(row->recipient, filter->recipient) &&
           matches_destination(row, filter->destination) && matches_text(row, filter->text);
}

/* ---- rows ---- */

static void read_numbers(struct statement *read, struct history_row *row)
{
    row->id = (uint64_t)column_number(read, 0);
    row->at_utc_ms = column_number(read, 1);
    row->kind = (enum history_kind)(column_number(read, 2) % N_HISTORY_KINDS);
    row->n = column_number(read, 4);
    row->code = column_number(read, 13);
    row->spent_ms = column_number(read, 17);
    row->attempts = column_number(read, 18);
    row->size = column_number(read, 19);
    row->n_recipients = column_number(read, 20);
}

static void read_texts(struct statement *read, struct history_row *row)
{
    const struct {
        struct slice *text;
        int column;
    } places[] = {
        {&row->message,   3 },
        {&row->user,      5 },
        {&row->sender,    6 },
        {&row->recipient, 7 },
        {&row->site,      8 },
        {&row->mx,        9 },
        {&row->egress,    10},
        {&row->provider,  11},
        {&row->tls,       12},
        {&row->enhanced,  14},
        {&row->class,     15},
        {&row->reply,     16},
        {&row->campaign,  21},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        *places[i].text = column_text(read, places[i].column);
}

struct listing {
    struct history_reader *reader;
    const struct history_filter *filter;
    uint32_t n_wanted;
    int64_t deadline_ms;
    history_row_callback *on_row;
    void *owner;
    struct history_cursor *cursor;
};

enum { LISTING_STOP = 2 };

/* Steps through a prepared read; 0, LISTING_STOP or -errno. */
static int visit_rows(struct listing *listing, struct statement *read)
{
    int result;

    while ((result = statement_step(read)) == STATEMENT_ROW) {
        struct history_row row;

        read_numbers(read, &row);
        if (!matches_numbers(&row, listing->filter))
            continue;
        read_texts(read, &row);
        if (!matches(&row, listing->filter))
            continue;
        listing->cursor->id = row.id;
        listing->n_wanted--;
        if (!listing->on_row(listing->owner, &row) || listing->n_wanted == 0) {
            statement_reset(read);
            return LISTING_STOP;
        }
    }
    return result;
}

/* By an index where one serves, which sees the whole day at once; *is_whole says so. */
static struct statement *begin_read(struct listing *listing, uint64_t below, uint64_t *above)
{
    const struct history_filter *filter = listing->filter;
    struct db *db = listing->reader->rows.db;
    bool has_message = filter->message.len, has_to = slice_find(filter->recipient, '@') >= 0;
    struct statement *read = db_statement(db, has_message ? HISTORY_OF
                                              : has_to    ? HISTORY_TO
                                                          : HISTORY_BETWEEN);

    *above = has_message || has_to || below <= WINDOW_ROWS ? 0 : below - WINDOW_ROWS;
    if (has_message) {
        bind_text(read, 1, filter->message);
        bind_number(read, 2, 0);
        bind_number(read, 3, (int64_t)below);
    } else if (has_to) {
        bind_number(read, 1, history_address_hash(filter->recipient));
        bind_number(read, 2, 0);
        bind_number(read, 3, (int64_t)below);
        bind_text(read, 4, filter->recipient);
    } else {
        bind_number(read, 1, (int64_t)*above);
        bind_number(read, 2, (int64_t)below);
    }
    return read;
}

static int last_id(struct db *db, uint64_t *out)
{
    struct statement *read = db_statement(db, HISTORY_LAST);
    int result = statement_step(read);

    *out = result == STATEMENT_ROW ? (uint64_t)column_number(read, 0) : 0;
    statement_reset(read);
    return result < 0 ? result : 0;
}

/* The rows of the day that the cursor names; 0 when all were seen, LISTING_STOP, or -errno. */
static int visit_day(struct listing *listing)
{
    uint64_t id = listing->cursor->id, above = 0;
    int result = open_day(listing->reader, listing->cursor->day);

    if (result == 0 && id == 0) {
        result = last_id(listing->reader->rows.db, &id);
        id++;
    }
    while (result == 0 && id > 1) {
        result = visit_rows(listing, begin_read(listing, id - 1, &above));
        if (result)
            break;
        listing->cursor->id = id = above + 1;
        if (id > 1 && clock_monotonic_ms() >= listing->deadline_ms)
            result = LISTING_STOP;
    }
    return result;
}

/* Whether a day may hold what is wanted; rows of its last moments may lie in the next file. */
static bool is_wanted_day(const struct history_filter *filter, const char *day)
{
    char first[HISTORY_DAY_SIZE], last[HISTORY_DAY_SIZE];

    history_day_of(filter->from_utc_ms, first);
    history_day_of(filter->until_utc_ms + 86400000, last);
    return strcmp(day, first) >= 0 && (!filter->until_utc_ms || strcmp(day, last) <= 0);
}

/* Days go from the newest back. */
static bool is_ahead(const struct listing *listing, const char *day)
{
    return (!*listing->cursor->day || strcmp(day, listing->cursor->day) <= 0) &&
           is_wanted_day(listing->filter, day);
}

static void begin_day(struct history_cursor *cursor, const char *day)
{
    slice_copy_to(slice_of(day), cursor->day, sizeof(cursor->day));
    cursor->id = 0;
}

/* A day that went meanwhile, is damaged, or has the form of another version (or none yet: it just
 * began) hides no other.  Whatever else is wrong may pass, and part would be taken for all. */
static bool may_skip(int error)
{
    return error == -ENOENT || error == -EBADMSG || error == -EPROTO;
}

static int visit_days(struct listing *listing, char (*days)[HISTORY_DAY_SIZE], int n)
{
    struct history_cursor *cursor = listing->cursor;

    for (int i = 0; i < n; i++) {
        int result;

        if (!is_ahead(listing, days[i]))
            continue;
        if (strcmp(days[i], cursor->day) != 0)
            begin_day(cursor, days[i]);
        result = visit_day(listing);
        if (result == LISTING_STOP)
            return 0;
        if (result < 0)
            close_day(listing->reader);
        if (result < 0 && !may_skip(result))
            return result;
        if (clock_monotonic_ms() >= listing->deadline_ms && i + 1 < n) {
            begin_day(cursor, days[i + 1]);
            return 0;
        }
    }
    return 1;
}

int history_reader_list(struct history_reader *reader, const struct history_filter *filter,
                        uint32_t limit, int slice_ms, history_row_callback *on_row, void *owner,
                        struct history_cursor *cursor)
{
    struct listing listing = {reader, filter, limit, clock_monotonic_ms() + slice_ms,
                              on_row, owner,  cursor};
    char(*days)[HISTORY_DAY_SIZE] = NULL;
    int n = history_days(reader->dir, &days), result;

    if (n < 0)
        return n;
    result = visit_days(&listing, days, n);
    free(days);
    return result;
}
