/* All that is known of one message: what of it waits, and what became of the rest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/list.h"
#include "relay/message/encoded_word.h"
#include "relay/message/header.h"
#include "relay/spool/queue_id.h"
#include "webui/guard.h"
#include "webui/history_desk.h"
#include "webui/history_json.h"
#include "webui/queue_desk.h"
#include "webui/queue_json.h"
#include "webui/routes.h"

enum {
    MOST_ROWS = 1000,
    SLICE_MS = 1000,
    SCAN_SLICE = 20000,
    MOST_HEADER = 256 << 10, /* read; and shown: */
    MOST_FIELDS = 200,
    MOST_VALUE = 4096,
};

struct message {
    struct history_job history_job;
    struct queue_job queue_job;
    struct exchange *exchange;
    uint64_t id;
    json_t *attempts; /* rows of history, the newest first */
    json_t *item;     /* of the queue; NULL: nothing of it waits */
    json_t *header;   /* its fields; NULL: they cannot be read (any more) */
    bool is_whole;    /* all of them: for who may work with the mail */
};

static bool append_attempt(void *owner, const struct history_row *row)
{
    json_array_append_new(owner, history_row_json(row));
    return true;
}

/* On the history's reader thread. */
static void read_history(struct history_job *job, struct history_reader *reader)
{
    struct message *message = CONTAINER_OF(job, struct message, history_job);
    struct history_cursor cursor = {.id = 0};
    char id[QUEUE_ID_SIZE];
    struct history_filter filter = {
        .message = {id, 0}
    };

    queue_id_format(message->id, id);
    filter.message = slice_of(id);
    /* What cannot be read is not shown; the queue's part is. */
    (void)!history_reader_list(reader, &filter, MOST_ROWS, SLICE_MS, append_attempt,
                               message->attempts, &cursor);
}

static bool take_item(void *owner, const struct message_row *row)
{
    ((struct message *)owner)->item = queue_item_json(row, UINT32_MAX);
    return false;
}

/* As text: without folding, encoded words decoded. */
static json_t *field_json(const struct header_field *field)
{
    CLEANUP(buffer) struct buffer line = BUFFER_INIT, text = BUFFER_INIT;

    header_unfold(field->value, &line);
    encoded_words_decode(buffer_slice(&line), &text);
    return json_pack("{s:o, s:o}", "name", json_slice(field->name), "value",
                     json_slice(slice_head(buffer_slice(&text), MOST_VALUE)));
}

/* For everybody else: whose it is and when, and nothing of what it says or where it came from. */
static bool is_for_all(struct slice name)
{
    static const char *const names[] = {"From", "To", "Date", "Message-ID"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal_ignoring_case(name, slice_of(names[i])))
            return true;
    return false;
}

static json_t *header_json(struct slice block, bool is_whole)
{
    struct header_walker walker = {block};
    struct header_field field;
    json_t *fields = json_array();

    while (json_array_size(fields) < MOST_FIELDS && header_next(&walker, &field))
        if (field.name.len && (is_whole || is_for_all(field.name)))
            json_array_append_new(fields, field_json(&field));
    return fields;
}

static void read_header(struct message *message, struct spool_reader *reader)
{
    CLEANUP(buffer) struct buffer bytes = BUFFER_INIT;
    uint32_t header_bytes;

    if (spool_reader_bytes(reader, message->id, MOST_HEADER, &bytes, &header_bytes) == 0)
        message->header =
            header_json(slice_head(buffer_slice(&bytes), header_bytes), message->is_whole);
}

/* On the queue's reader thread. */
static void read_queue(struct queue_job *job, struct spool_reader *reader)
{
    struct message *message = CONTAINER_OF(job, struct message, queue_job);
    const struct queue_filter filter = {.id = message->id};
    uint64_t cursor;

    (void)!spool_reader_list(reader, &filter, 1, SCAN_SLICE, take_item, message, &cursor);
    if (message->item)
        read_header(message, reader);
}

static bool has_recipient(json_t *recipients, json_int_t n)
{
    for (size_t i = 0; i < json_array_size(recipients); i++)
        if (json_integer_value(json_object_get(json_array_get(recipients, i), "n")) == n)
            return true;
    return false;
}

/* Whose last word is in history alone: finished. */
static void add_finished(json_t *recipients, json_t *attempts)
{
    for (size_t i = 0; i < json_array_size(attempts); i++) {
        json_t *row = json_array_get(attempts, i);
        json_int_t n = json_integer_value(json_object_get(row, "n"));

        if (n == 0 || has_recipient(recipients, n))
            continue;
        json_array_append_new(recipients, json_pack("{s:I, s:O, s:O, s:O, s:n, s:O, s:n, s:O}", "n",
                                                    n, "address", json_object_get(row, "recipient"),
                                                    "state", json_object_get(row, "state"),
                                                    "attempts", json_object_get(row, "attempts"),
                                                    "next", "reply", json_object_get(row, "reply"),
                                                    "doubtful", "at", json_object_get(row, "at")));
    }
}

/* What the row of its arrival, or any other, says of the message itself. */
static json_t *item_of_history(json_t *attempts)
{
    json_t *row = json_array_get(attempts, json_array_size(attempts) - 1);
    bool is_arrival = json_integer_value(json_object_get(row, "n")) == 0;

    return json_pack("{s:O, s:O, s:O, s:O, s:o, s:n, s:O, s:o, s:[]}", "id",
                     json_object_get(row, "id"), "user", json_object_get(row, "user"), "sender",
                     json_object_get(row, "sender"), "size", json_object_get(row, "size"),
                     "arrived", is_arrival ? json_incref(json_object_get(row, "at")) : json_null(),
                     "expires", "campaign", json_object_get(row, "campaign"), "n_recipients",
                     is_arrival ? json_incref(json_object_get(row, "n_recipients")) : json_null(),
                     "recipients");
}

/* The id of a message says when it came: behind what history keeps, its details are gone and its
 * share in the counters remains. */
static void answer_forgotten(struct exchange *exchange)
{
    exchange_problem_with(
        exchange, 404, "not_found",
        "Nothing is known of this message: its details were deleted with the history of its day, "
        "or "
        "it never was.",
        json_pack("{s:I}", "kept_days", (json_int_t)exchange->webui->settings->history.days));
}

static void on_queue(struct queue_job *job)
{
    struct message *message = CONTAINER_OF(job, struct message, queue_job);
    json_t *item = message->item;
    bool is_waiting = item != NULL;

    if (!item && json_array_size(message->attempts))
        item = item_of_history(message->attempts);
    if (!item) {
        json_decref(message->attempts);
        answer_forgotten(message->exchange);
        return;
    }
    add_finished(json_object_get(item, "recipients"), message->attempts);
    json_object_set_new(item, "waits", json_boolean(is_waiting));
    json_object_set_new(item, "attempts", message->attempts);
    json_object_set_new(item, "header", message->header ? message->header : json_null());
    exchange_answer(message->exchange, 200, item);
}

static void on_history(struct history_job *job)
{
    struct message *message = CONTAINER_OF(job, struct message, history_job);

    message->queue_job.answer_to = message->exchange->webui->mailbox;
    message->queue_job.work = read_queue;
    message->queue_job.done = on_queue;
    if (queue_desk_ask(message->exchange->webui->queue_desk, &message->queue_job))
        return;
    json_decref(message->attempts);
    exchange_busy(message->exchange);
}

void api_message(struct exchange *exchange)
{
    struct message *message = exchange_memory(exchange, sizeof(*message));

    if (!message)
        return;
    message->exchange = exchange;
    message->is_whole = guard_is(exchange, FOR_OPERATOR);
    if (!queue_id_parse(exchange->argument, &message->id)) {
        exchange_problem(exchange, 404, "not_found", "This is no queue id.");
        return;
    }
    message->attempts = json_array();
    message->history_job.answer_to = exchange->webui->mailbox;
    message->history_job.work = read_history;
    message->history_job.done = on_history;
    if (history_desk_ask(exchange->webui->history_desk, &message->history_job))
        return;
    json_decref(message->attempts);
    exchange_busy(exchange);
}
