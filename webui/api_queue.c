/* What waits: rows read in slices by the reader thread, marked with what is being sent. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/list.h"
#include "relay/spool/queue_id.h"
#include "webui/queue_desk.h"
#include "webui/queue_json.h"
#include "webui/routes.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MOST = 1000,
    SCAN_SLICE = 20000, /* rows between two looks at the other requests */
};

struct listing {
    struct queue_job job;
    struct delivery_sending sending;
    struct exchange *exchange;
    struct queue_filter filter;
    uint32_t limit;
    json_t *items;
    uint64_t cursor;
    bool wants_one;
    int result;
};

static bool append_row(void *owner, const struct message_row *row)
{
    struct listing *listing = owner;

    json_array_append_new(listing->items, queue_item_json(row));
    return json_array_size(listing->items) < listing->limit;
}

/* On the reader thread. */
static void read_rows(struct queue_job *job, struct spool_reader *reader)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);
    uint32_t n_wanted = listing->limit - (uint32_t)json_array_size(listing->items);

    listing->result = spool_reader_list(reader, &listing->filter, n_wanted, SCAN_SLICE, append_row,
                                        listing, &listing->cursor);
}

static void answer(struct listing *listing)
{
    char cursor[QUEUE_ID_SIZE];
    json_t *items = TAKE(listing->items);

    queue_mark_sending(items, buffer_slice(&listing->sending.pairs));
    buffer_fini(&listing->sending.pairs);
    if (listing->result < 0) {
        json_decref(items);
        exchange_problem(listing->exchange, 500, "queue_unreadable", strerror(-listing->result));
        return;
    }
    if (!listing->wants_one) {
        queue_id_format(listing->cursor, cursor);
        exchange_answer_items(listing->exchange, items, listing->cursor ? cursor : NULL);
        return;
    }
    if (json_array_size(items) == 0)
        exchange_problem(listing->exchange, 404, "not_found",
                         "No such message waits; finished mail is in the log.");
    else
        exchange_answer(listing->exchange, 200, json_incref(json_array_get(items, 0)));
    json_decref(items);
}

static void on_sending(struct delivery_sending *request)
{
    answer(CONTAINER_OF(request, struct listing, sending));
}

static void on_read(struct queue_job *job)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);
    const struct operations *operations = listing->exchange->webui->parts.operations;
    bool is_full = json_array_size(listing->items) >= listing->limit;

    if (listing->result == 0 && listing->cursor && !is_full && !listing->wants_one) {
        listing->filter.after_id = listing->cursor; /* a rare match: scan on, slice by slice */
        if (queue_desk_ask(listing->exchange->webui->queue_desk, job))
            return;
    }
    listing->sending.answer_to = listing->exchange->webui->mailbox;
    listing->sending.done = on_sending;
    if (!operations->sending(operations->owner, &listing->sending))
        answer(listing);
}

static void begin(struct listing *listing)
{
    listing->items = json_array();
    listing->job.answer_to = listing->exchange->webui->mailbox;
    listing->job.work = read_rows;
    listing->job.done = on_read;
    if (queue_desk_ask(listing->exchange->webui->queue_desk, &listing->job))
        return;
    json_decref(listing->items);
    exchange_busy(listing->exchange);
}

static bool read_state(struct exchange *exchange, struct queue_filter *filter)
{
    static const struct {
        const char *name;
        enum recipient_state state;
    } rows[] = {
        {"queued",   RECIPIENT_QUEUED  },
        {"deferred", RECIPIENT_DEFERRED},
        {"held",     RECIPIENT_HELD    }
    };
    const char *name = exchange_query(exchange, "state");

    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0) {
            filter->has_state = true;
            filter->state = rows[i].state;
        }
    if (!name || filter->has_state)
        return true;
    exchange_problem(exchange, 422, "bad_state", "The state is queued, deferred or held.");
    return false;
}

static bool read_limit(struct exchange *exchange, uint32_t *out)
{
    const char *text = exchange_query(exchange, "limit");
    uint64_t limit = LIMIT_DEFAULT;

    if (text && (!slice_to_number(slice_of(text), LIMIT_MOST, &limit) || limit == 0)) {
        exchange_problem(exchange, 422, "bad_limit", "The limit is a number from 1 to 1000.");
        return false;
    }
    *out = (uint32_t)limit;
    return true;
}

static bool read_cursor(struct exchange *exchange, struct queue_filter *filter)
{
    const char *text = exchange_query(exchange, "cursor");

    if (!text || queue_id_parse(slice_of(text), &filter->after_id))
        return true;
    exchange_problem(exchange, 422, "bad_cursor", "The cursor is not one that was given out.");
    return false;
}

void api_queue_list(struct exchange *exchange)
{
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing || !read_state(exchange, &listing->filter) ||
        !read_limit(exchange, &listing->limit) || !read_cursor(exchange, &listing->filter))
        return;
    listing->exchange = exchange;
    listing->filter.user = slice_of(exchange_query(exchange, "user"));
    listing->filter.sender = slice_of(exchange_query(exchange, "from"));
    listing->filter.recipient = slice_of(exchange_query(exchange, "dest"));
    begin(listing);
}

void api_queue_show(struct exchange *exchange)
{
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing)
        return;
    if (!queue_id_parse(exchange->argument, &listing->filter.id)) {
        exchange_problem(exchange, 422, "bad_id", "That is no queue id.");
        return;
    }
    listing->exchange = exchange;
    listing->limit = 1;
    listing->wants_one = true;
    begin(listing);
}
