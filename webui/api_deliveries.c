/* What became of mail: rows of history, read in slices by their reader thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/asking.h"
#include "webui/history_desk.h"
#include "webui/history_json.h"
#include "webui/routes.h"
#include "webui/turns.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MOST = 1000,
    CSV_ROWS = 20000,
    SLICE_MS = 50,   /* between two looks at the other requests */
    ANSWER_MS = 200, /* what was found by then is shown; the cursor tells where to go on */
    CSV_MS = 20000,
    CSV_BYTES = 8 << 20, /* the row that reaches it is the last */
    CSV_AT_ONCE = 2,     /* until the client has them: each stays in memory so long */
};

struct listing {
    struct history_job job;
    struct exchange *exchange;
    struct history_filter filter;
    struct history_cursor cursor;
    uint32_t limit, n;
    int64_t deadline_ms;
    json_t *items;
    struct buffer csv;
    bool is_csv;
    int result;
};

static bool is_full(const struct listing *listing)
{
    return listing->n >= listing->limit || listing->csv.failed || listing->csv.len >= CSV_BYTES;
}

static bool append_row(void *owner, const struct history_row *row)
{
    struct listing *listing = owner;

    if (listing->is_csv)
        history_csv_row(row, &listing->csv);
    else
        json_array_append_new(listing->items, history_row_json(row));
    listing->n++;
    return !is_full(listing);
}

/* On the reader thread. */
static void read_rows(struct history_job *job, struct history_reader *reader)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);

    listing->result = history_reader_list(reader, &listing->filter, listing->limit - listing->n,
                                          SLICE_MS, append_row, listing, &listing->cursor);
}

static void answer_csv(struct listing *listing)
{
    if (listing->result == 0)
        buffer_append_text(&listing->csv,
                           "\"More rows match: narrow the filter or the time.\"\r\n");
    if (buffer_error(&listing->csv) < 0)
        exchange_problem(listing->exchange, 500, "out_of_memory", "The service is out of memory.");
    else
        exchange_answer_buffer(listing->exchange, "text/csv; charset=utf-8", &listing->csv);
    buffer_fini(&listing->csv);
}

static void answer(struct listing *listing)
{
    char cursor[HISTORY_DAY_SIZE + 24];

    if (listing->result < 0) {
        json_decref(listing->items);
        buffer_fini(&listing->csv);
        exchange_problem(listing->exchange, 503, "history_unreadable", strerror(-listing->result));
        return;
    }
    if (listing->is_csv) {
        answer_csv(listing);
        return;
    }
    snprintf(cursor, sizeof(cursor), "%s.%llu", listing->cursor.day,
             (unsigned long long)listing->cursor.id);
    exchange_answer_items(listing->exchange, listing->items, listing->result ? NULL : cursor);
}

static void on_read(struct history_job *job)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);
    struct webui *webui = listing->exchange->webui;

    if (listing->result == 0 && !is_full(listing) && !webui->is_stopping &&
        clock_monotonic_ms() < listing->deadline_ms && history_desk_ask(webui->history_desk, job))
        return;
    answer(listing);
}

/* "2026-11-22.1234" */
static bool read_cursor(const char *text, struct history_cursor *out)
{
    struct slice whole = slice_of(text);
    ptrdiff_t dot = slice_find(whole, '.');
    uint64_t id;

    if (dot != HISTORY_DAY_SIZE - 1 ||
        !slice_to_number(slice_skip(whole, (size_t)dot + 1), INT64_MAX, &id))
        return false;
    slice_copy_to(slice_head(whole, (size_t)dot), out->day, sizeof(out->day));
    out->id = id;
    return true;
}

static bool read_query(struct listing *listing)
{
    struct exchange *exchange = listing->exchange;
    const char *cursor = exchange_query(exchange, "cursor");
    struct filter_words words;

    if (!asking_filter(exchange, exchange_query(exchange, "filter"), &words))
        return false;
    if (!history_filter_of(&words, clock_utc_ms(), &listing->filter)) {
        exchange_problem(exchange, 422, "bad_state", "What is past is never in this state.");
        return false;
    }
    if (cursor && !read_cursor(cursor, &listing->cursor)) {
        exchange_problem(exchange, 422, "bad_cursor", "The cursor is none of ours.");
        return false;
    }
    return asking_time(exchange, "from", &listing->filter.from_utc_ms) &&
           asking_until(exchange, &listing->filter.until_utc_ms) &&
           asking_limit(exchange, LIMIT_DEFAULT, LIMIT_MOST, &listing->limit);
}

static void list(struct exchange *exchange, struct slice user, bool is_csv)
{
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing)
        return;
    listing->exchange = exchange;
    listing->is_csv = is_csv;
    if (!read_query(listing) ||
        (is_csv && !turn_of_all(exchange, &exchange->webui->tables, CSV_AT_ONCE)))
        return;
    if (user.len)
        listing->filter.user = user; /* nobody sees another's rows, whatever the filter says */
    listing->deadline_ms = clock_monotonic_ms() + (is_csv ? CSV_MS : ANSWER_MS);
    if (is_csv) {
        listing->limit = CSV_ROWS;
        history_csv_head(&listing->csv);
    } else {
        listing->items = json_array();
    }
    listing->job.answer_to = exchange->webui->mailbox;
    listing->job.work = read_rows;
    listing->job.done = on_read;
    if (history_desk_ask(exchange->webui->history_desk, &listing->job))
        return;
    json_decref(listing->items);
    buffer_fini(&listing->csv);
    exchange_busy(exchange);
}

void api_deliveries(struct exchange *exchange)
{
    list(exchange, (struct slice){NULL, 0}, false);
}

void api_deliveries_csv(struct exchange *exchange)
{
    list(exchange, (struct slice){NULL, 0}, true);
}

void api_deliveries_of(struct exchange *exchange, struct slice user)
{
    if (user.len)
        list(exchange, user, false);
    else
        exchange_problem(exchange, 403, "role_forbidden", "Only users have rows of their own.");
}
