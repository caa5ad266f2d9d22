#include "webui/exchange.h"

#include <errno.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "webui/audit.h"
#include "webui/repeats.h"
#include "webui/server.h"
#include "webui/turns.h"

/* Passwords and keys came in, a generated password may have gone out. */
static void wipe(struct exchange *exchange)
{
    static const char *const members[] = {"password", "hash", "pem", "code", "new_password"};
    char *const fields[] = {exchange->fields.cookie, exchange->fields.authorization};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(exchange->body, members[i]);

        if (json_is_string(value))
            secret_wipe((void *)json_string_value(value), json_string_length(value));
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i])
            secret_wipe(fields[i], strlen(fields[i]));
    secret_wipe(exchange->set_cookie, sizeof(exchange->set_cookie));
    if (exchange->upload.data)
        secret_wipe(exchange->upload.data, exchange->upload.capacity);
    if (exchange->text)
        secret_wipe(exchange->text, exchange->text_len);
}

void exchange_free(struct exchange *exchange)
{
    wipe(exchange);
    turn_end(exchange);
    if (exchange->change.next)
        list_remove(&exchange->change);
    repeats_end(exchange);
    live_stream_free(exchange->stream);
    json_decref(exchange->body);
    json_decref(exchange->before);
    buffer_fini(&exchange->upload);
    free(exchange->text);
    arena_reset(&exchange->arena);
    free(exchange);
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->n_queries; i++)
        if (strcmp(exchange->queries[i].name, name) == 0)
            return exchange->queries[i].value;
    return NULL;
}

const char *exchange_text(const struct exchange *exchange, const char *name)
{
    return json_string_value(json_object_get(exchange->body, name));
}

bool exchange_flag(const struct exchange *exchange, const char *name)
{
    return json_is_true(json_object_get(exchange->body, name));
}

const char *exchange_expect_text(struct exchange *exchange, const char *name)
{
    const char *text = exchange_text(exchange, name);
    char detail[128];

    if (text && *text)
        return text;
    snprintf(detail, sizeof(detail), "The field \"%s\" is missing or is no text.", name);
    exchange_problem(exchange, 422, "missing_field", detail);
    return NULL;
}

int exchange_texts(struct exchange *exchange, const char *name, const struct slice **out)
{
    json_t *array = json_object_get(exchange->body, name);
    size_t n = json_array_size(array);
    struct slice *texts = exchange_memory(exchange, (n + 1) * sizeof(*texts));

    if (!texts)
        return -1;
    for (size_t i = 0; i < n; i++) {
        json_t *item = json_array_get(array, i);

        texts[i] = slice_from(json_string_value(item), json_string_length(item));
    }
    *out = texts;
    return (int)n;
}

bool exchange_read_body(struct exchange *exchange)
{
    json_error_t error;
    char detail[256];

    if (exchange->upload.failed) {
        exchange_problem(exchange, 413, "too_large", "The body is above 1 MiB.");
        return false;
    }
    if (exchange->upload.len == 0)
        return true;
    exchange->body =
        json_loadb(exchange->upload.data, exchange->upload.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(exchange->body))
        return true;
    snprintf(detail, sizeof(detail), "The body is no JSON object: %s",
             exchange->body ? "another type" : error.text);
    exchange_problem(exchange, 400, "bad_json", detail);
    return false;
}

void *exchange_memory(struct exchange *exchange, size_t bytes)
{
    void *memory = arena_alloc(&exchange->arena, bytes);

    if (!memory)
        exchange_problem(exchange, 500, "out_of_memory", "The service is out of memory.");
    return memory;
}

/* text is taken. */
static void answer_bytes(struct exchange *exchange, unsigned status, const char *content_type,
                         char *text, size_t len)
{
    if (exchange->status) {
        free(text); /* a handler that already gave up: the first answer stands */
        return;
    }
    exchange->status = text || status == 204 ? status : 500;
    audit_answered(exchange);
    exchange->content_type = content_type;
    exchange->text = text;
    exchange->text_len = len;
    repeats_answered(exchange);
    server_answered(exchange);
}

static void answer_with(struct exchange *exchange, unsigned status, const char *content_type,
                        json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(body);
    answer_bytes(exchange, status, content_type, text, text ? strlen(text) : 0);
}

void exchange_answer_text(struct exchange *exchange, const char *content_type, struct slice text)
{
    answer_bytes(exchange, 200, content_type, slice_to_string(text), text.len);
}

void exchange_answer_kept(struct exchange *exchange, unsigned status, const char *content_type,
                          struct slice text)
{
    exchange->is_repeated = true;
    answer_bytes(exchange, status, content_type, text.data ? slice_to_string(text) : NULL,
                 text.len);
}

void exchange_answer_buffer(struct exchange *exchange, const char *content_type,
                            struct buffer *text)
{
    size_t len = text->len;

    answer_bytes(exchange, 200, content_type, TAKE(text->data), len);
    buffer_fini(text);
}

void exchange_answer(struct exchange *exchange, unsigned status, json_t *body)
{
    answer_with(exchange, status, "application/json", body);
}

void exchange_answer_items(struct exchange *exchange, json_t *items, const char *next_cursor)
{
    json_t *body = json_object();

    json_object_set_new(body, "items", items);
    json_object_set_new(body, "next_cursor", next_cursor ? json_string(next_cursor) : json_null());
    exchange_answer(exchange, 200, body);
}

void exchange_problem_with(struct exchange *exchange, unsigned status, const char *code,
                           const char *detail, json_t *params)
{
    json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:o, s:o*}", "type", "about:blank", "title",
                             code, "status", (int)status, "code", code, "detail",
                             json_slice(slice_of(detail)), "params", params);

    answer_with(exchange, status, "application/problem+json", body);
}

void exchange_problem(struct exchange *exchange, unsigned status, const char *code,
                      const char *detail)
{
    exchange_problem_with(exchange, status, code, detail, NULL);
}

const char *exchange_cookie_name(const struct exchange *exchange)
{
    return exchange->is_secure ? "__Host-sid" : "sid";
}

void exchange_busy(struct exchange *exchange)
{
    exchange_problem(exchange, 503, "busy", "The service is too busy for this, try again.");
}

/* Length of the well-formed UTF-8 sequence at text, 0 when there is none. */
static size_t sequence_length(struct slice text)
{
    static const size_t most = 4;

    for (size_t len = 1; len <= most && len <= text.len; len++) {
        json_t *probe = json_stringn(text.data, len);

        if (probe) {
            json_decref(probe);
            return len;
        }
    }
    return 0;
}

json_t *json_slice(struct slice text)
{
    json_t *whole = json_stringn(text.data ? text.data : "", text.len);
    CLEANUP(buffer) struct buffer mended = BUFFER_INIT;

    if (whole)
        return whole;
    while (text.len) {
        size_t len = sequence_length(text);

        buffer_append(&mended, len ? slice_head(text, len) : SLICE_LITERAL("\xef\xbf\xbd"));
        text = slice_skip(text, len ? len : 1);
    }
    return json_stringn(mended.data ? mended.data : "", mended.len);
}

json_t *json_split(struct slice list, char between)
{
    json_t *items = json_array();

    while (list.len) {
        ptrdiff_t end = slice_find(list, between);
        size_t len = end < 0 ? list.len : (size_t)end;

        json_array_append_new(items, json_slice(slice_head(list, len)));
        list = slice_skip(list, end < 0 ? len : len + 1);
    }
    return items;
}

json_t *json_time(int64_t utc_ms)
{
    char text[CLOCK_DATE_SIZE];

    if (utc_ms <= 0)
        return json_null();
    clock_format_timestamp(utc_ms, text);
    return json_string(text);
}
