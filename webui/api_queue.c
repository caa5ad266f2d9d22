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
    uint32_t limit, most_recipients;
    json_t *items;
    uint64_t cursor;
    const char *state; /* wanted; NULL: any */
    bool wants_one, wants_sending;
    uint64_t *ids; /* with wants_sending: these alone, sorted; malloc()ed */
    size_t n_ids, next_id;
    int result;
};

static bool append_row(void *owner, const struct message_row *row)
{
    struct listing *listing = owner;

    json_array_append_new(listing->items, queue_item_json(row, UINT32_MAX));
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

/* On the reader thread. */
static void read_ids(struct queue_job *job, struct spool_reader *reader)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);
    uint64_t ignored;

    while (listing->result == 0 && listing->next_id < listing->n_ids &&
           json_array_size(listing->items) < listing->limit) {
        listing->filter.id = listing->cursor = listing->ids[listing->next_id++];
        listing->result = spool_reader_list(reader, &listing->filter, 1, SCAN_SLICE, append_row,
                                            listing, &ignored);
    }
    if (listing->next_id == listing->n_ids)
        listing->cursor = 0;
}

static void answer_one(struct listing *listing, json_t *items)
{
    if (json_array_size(items) == 0)
        exchange_problem(listing->exchange, 404, "not_found",
                         "No such message waits; finished mail is in the log.");
    else
        exchange_answer(listing->exchange, 200, json_incref(json_array_get(items, 0)));
    json_decref(items);
}

static void answer(struct listing *listing)
{
    char cursor[QUEUE_ID_SIZE];
    json_t *items = TAKE(listing->items);

    queue_mark_sending(items, buffer_slice(&listing->sending.pairs));
    buffer_fini(&listing->sending.pairs);
    free(listing->ids);
    if (listing->result < 0) {
        json_decref(items);
        exchange_problem(listing->exchange, 500, "queue_unreadable", strerror(-listing->result));
        return;
    }
    if (listing->wants_one) {
        answer_one(listing, items);
        return;
    }
    if (listing->state)
        queue_keep_state(items, listing->state);
    queue_cut_recipients(items, listing->most_recipients);
    queue_id_format(listing->cursor, cursor);
    exchange_answer_items(listing->exchange, items, listing->cursor ? cursor : NULL);
}

static void on_sending(struct delivery_sending *request)
{
    answer(CONTAINER_OF(request, struct listing, sending));
}

static bool ask_sending(struct listing *listing, void (*done)(struct delivery_sending *))
{
    const struct operations *operations = listing->exchange->webui->parts.operations;

    listing->sending.answer_to = listing->exchange->webui->mailbox;
    listing->sending.done = done;
    return operations->sending(operations->owner, &listing->sending);
}

static void on_read(struct queue_job *job)
{
    struct listing *listing = CONTAINER_OF(job, struct listing, job);
    bool is_full = json_array_size(listing->items) >= listing->limit;

    if (listing->wants_sending) {
        answer(listing);
        return;
    }
    if (listing->result == 0 && listing->cursor && !is_full && !listing->wants_one &&
        !listing->exchange->webui->is_stopping) {
        listing->filter.after_id = listing->cursor; /* a rare match: scan on, slice by slice */
        if (queue_desk_ask(listing->exchange->webui->queue_desk, job))
            return;
    }
    if (!ask_sending(listing, on_sending))
        answer(listing);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* The messages of pairs behind the cursor, each once. */
static bool collect_ids(struct listing *listing)
{
    struct reader reader = {.rest = buffer_slice(&listing->sending.pairs)};
    size_t most = reader.rest.len / 12, n = 0;
    uint64_t *ids = calloc(most + 1, sizeof(*ids));

    if (!ids)
        return false;
    for (size_t i = 0; i < most; i++) {
        uint64_t id = reader_u64(&reader);

        reader_u32(&reader);
        if (id > listing->filter.after_id)
            ids[n++] = id;
    }
    qsort(ids, n, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < n; i++)
        if (listing->n_ids == 0 || ids[listing->n_ids - 1] != ids[i])
            ids[listing->n_ids++] = ids[i];
    listing->ids = ids;
    return true;
}

/* state=sending: memory says which, then their rows are read. */
static void on_sending_known(struct delivery_sending *request)
{
    struct listing *listing = CONTAINER_OF(request, struct listing, sending);

    if (collect_ids(listing) && queue_desk_ask(listing->exchange->webui->queue_desk, &listing->job))
        return;
    json_decref(listing->items);
    buffer_fini(&listing->sending.pairs);
    free(listing->ids);
    exchange_busy(listing->exchange);
}

static void begin(struct listing *listing)
{
    listing->items = json_array();
    listing->job.answer_to = listing->exchange->webui->mailbox;
    listing->job.work = listing->wants_sending ? read_ids : read_rows;
    listing->job.done = on_read;
    if (listing->wants_sending
            ? ask_sending(listing, on_sending_known)
            : queue_desk_ask(listing->exchange->webui->queue_desk, &listing->job))
        return;
    json_decref(listing->items);
    exchange_busy(listing->exchange);
}

static bool read_state(struct exchange *exchange, struct listing *listing)
{
    static const struct {
        const char *name;
        bool is_row; /* else it is in memory only */
        enum recipient_state state;
    } rows[] = {
        {"queued",   true,  RECIPIENT_QUEUED  },
        {"deferred", true,  RECIPIENT_DEFERRED},
        {"held",     true,  RECIPIENT_HELD    },
        {"sending",  false, RECIPIENT_QUEUED  }
    };
    const char *name = exchange_query(exchange, "state");

    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, name) == 0) {
            listing->state = rows[i].name;
            listing->filter.has_state = rows[i].is_row;
            listing->filter.state = rows[i].state;
            listing->wants_sending = !rows[i].is_row;
        }
    if (!name || listing->state)
        return true;
    exchange_problem(exchange, 422, "bad_state", "The state is queued, sending, deferred or held.");
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

/* The command line's own parameters, instead of words. */
static bool has_parameters(const struct exchange *exchange)
{
    static const char *const names[] = {"state", "user", "from", "dest"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (exchange_query(exchange, names[i]))
            return true;
    return false;
}

static void list_by_parameters(struct exchange *exchange)
{
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing || !read_state(exchange, listing) || !read_limit(exchange, &listing->limit) ||
        !read_cursor(exchange, &listing->filter) ||
        !queue_most_recipients(exchange, &listing->most_recipients))
        return;
    listing->exchange = exchange;
    listing->filter.user = slice_of(exchange_query(exchange, "user"));
    listing->filter.sender = slice_of(exchange_query(exchange, "from"));
    listing->filter.recipient = slice_of(exchange_query(exchange, "dest"));
    begin(listing);
}

void api_queue_list(struct exchange *exchange)
{
    if (has_parameters(exchange) && !exchange_query(exchange, "filter"))
        list_by_parameters(exchange);
    else
        api_queue_search(exchange);
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
