/* The last lines of the log, from the event thread's memory. */
#include <stdio.h>
#include <string.h>

#include "relay/base/list.h"
#include "relay/events/events.h"
#include "webui/asking.h"
#include "webui/log_json.h"
#include "webui/routes.h"

enum { LIMIT_DEFAULT = 200, LIMIT_MOST = 1000 };

static const char *const levels[] = {
    [LEVEL_DEBUG] = "debug",
    [LEVEL_INFO] = "info",
    [LEVEL_WARNING] = "warning",
    [LEVEL_ERROR] = "error",
};

bool log_level_named(const char *name, enum event_level *out)
{
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(name, levels[i]) == 0) {
            *out = (enum event_level)i;
            return true;
        }
    }
    return false;
}

json_t *log_line_json(struct reader *reader)
{
    json_t *fields = json_object();
    uint64_t number = reader_u64(reader);
    int64_t utc_ms = (int64_t)reader_u64(reader);
    unsigned level = reader_u8(reader);
    struct slice name = reader_counted(reader), line = reader_counted(reader);
    uint32_t n = reader_u32(reader);

    while (n-- > 0 && !reader->failed) {
        struct slice key = reader_counted(reader), value = reader_counted(reader);
        char text[64];

        slice_copy_to(key, text, sizeof(text));
        json_object_set_new(fields, text, json_slice(value));
    }
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)number, "ts",
                     json_time(utc_ms), "level", levels[level % 4], "event", json_slice(name),
                     "fields", fields, "line", json_slice(line));
}

struct logs {
    struct events_question question;
    struct exchange *exchange;
};

static void on_lines(struct events_question *question)
{
    struct logs *logs = CONTAINER_OF(question, struct logs, question);
    struct reader reader = {.rest = buffer_slice(&question->lines)};
    json_t *items = json_array();
    char cursor[24];

    while (reader.rest.len && !reader.failed)
        json_array_append_new(items, log_line_json(&reader));
    buffer_fini(&question->lines);
    snprintf(cursor, sizeof(cursor), "%llu", (unsigned long long)question->next);
    exchange_answer_items(logs->exchange, items, question->next ? cursor : NULL);
}

static bool read_query(struct exchange *exchange, struct log_query *query)
{
    const char *level = exchange_query(exchange, "level"), *text = exchange_query(exchange, "text"),
               *event = exchange_query(exchange, "event"),
               *cursor = exchange_query(exchange, "cursor");

    query->text = slice_of(text ? text : "");
    query->event = slice_of(event ? event : "");
    if (level && !log_level_named(level, &query->level)) {
        exchange_problem(exchange, 422, "bad_level", "Levels are debug, info, warning and error.");
        return false;
    }
    if (cursor && !slice_to_number(slice_of(cursor), INT64_MAX, &query->before)) {
        exchange_problem(exchange, 422, "bad_cursor", "The cursor is none of ours.");
        return false;
    }
    return asking_time(exchange, "from", &query->from_utc_ms) &&
           asking_limit(exchange, LIMIT_DEFAULT, LIMIT_MOST, &query->limit);
}

void api_logs(struct exchange *exchange)
{
    struct logs *logs = exchange_memory(exchange, sizeof(*logs));

    if (!logs)
        return;
    logs->exchange = exchange;
    if (!read_query(exchange, &logs->question.query))
        return;
    logs->question.answer_to = exchange->webui->mailbox;
    logs->question.done = on_lines;
    if (!events_ask(exchange->webui->parts.events, &logs->question))
        exchange_busy(exchange);
}
