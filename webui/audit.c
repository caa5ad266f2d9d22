#include "webui/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/event.h"
#include "webui/route.h"
#include "webui/routes.h"
#include "webui/state.h"

/* Rows are kept by number, so each of them is short: what is long says how much there was. */
enum { MOST_ITEMS = 20, MOST_VALUE_BYTES = 1024, MOST_BYTES = 4096 };

static bool is_change(const struct exchange *exchange)
{
    return exchange->route && !exchange->is_repeated &&
           (exchange->method != HTTP_GET || exchange->route->flags & IS_AUDITED) &&
           !(exchange->route->flags & NO_AUDIT) && !exchange_flag(exchange, "dry_run");
}

void audit_begin(struct exchange *exchange)
{
    bool is_known;

    if (is_change(exchange))
        exchange->before = state_of(exchange, &is_known);
}

/* The first of its whole characters. */
static json_t *short_text(const char *text, size_t len)
{
    if (len > MOST_VALUE_BYTES)
        for (len = MOST_VALUE_BYTES; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    return json_stringn(text, len);
}

static json_t *short_value(json_t *value)
{
    if (json_is_string(value))
        return short_text(json_string_value(value), json_string_length(value));
    if (json_array_size(value) <= MOST_ITEMS &&
        json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) <= MOST_VALUE_BYTES)
        return json_incref(value);
    return json_integer(
        (json_int_t)(json_is_array(value) ? json_array_size(value) : json_object_size(value)));
}

/* Takes the object. */
static json_t *shortened(json_t *object)
{
    json_t *copy = object ? json_object() : NULL;
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        json_object_set_new(copy, name, short_value(value));
    }
    json_decref(object);
    return copy;
}

/* What was asked for, without what nobody may read. */
static json_t *asked(const struct exchange *exchange)
{
    static const char *const secrets[] = {"password", "new_password", "hash", "pem", "code"};
    json_t *copy = exchange->body ? json_copy(exchange->body) : NULL;

    for (size_t i = 0; copy && i < sizeof(secrets) / sizeof(secrets[0]); i++)
        if (json_object_get(copy, secrets[i]))
            json_object_set_new(copy, secrets[i], json_string("***"));
    return copy;
}

struct audit_note {
    struct audit_request request; /* first */
    char *before, *after;
    struct webui *webui;
    size_t len;
    char texts[];
};

static void on_stored(struct registry_request *base)
{
    struct audit_note *note = (struct audit_note *)(void *)base;

    if (base->result != REGISTRY_OK)
        EVENT(EVENT_AUDIT_LOST, field_slice("who", base->by),
              field_slice("action", note->request.action),
              field_slice("object", note->request.object), field_text("reason", base->sentence));
    note->webui->n_waiting--;
    free(note->before);
    free(note->after);
    free(note);
}

static struct slice keep(struct audit_note *note, struct slice text)
{
    char *at = note->texts + note->len;

    if (text.len)
        memcpy(at, text.data, text.len);
    note->len += text.len;
    return slice_from(at, text.len);
}

static struct audit_note *new_note(const struct exchange *exchange, struct slice action)
{
    struct slice by = slice_of(exchange->by), from = slice_of(exchange->from);
    struct audit_note *note =
        calloc(1, sizeof(*note) + by.len + from.len + action.len + state_object(exchange).len + 1);

    if (!note)
        return NULL;
    note->webui = exchange->webui;
    note->request.request.answer_to = exchange->webui->mailbox;
    note->request.request.done = on_stored;
    note->request.request.by = keep(note, by);
    note->request.origin = keep(note, from);
    note->request.action = keep(note, action);
    note->request.object = keep(note, state_object(exchange));
    if (exchange->caller.account.kind == ACCOUNT_USER)
        note->request.user_id = exchange->caller.account.id;
    return note;
}

/* Takes the object. */
static char *dumped(json_t *object, struct slice *out)
{
    json_t *value = shortened(object);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    if (text && strlen(text) > MOST_BYTES) /* its buffer has room for this */
        snprintf(text, MOST_BYTES, "{\"left_out_bytes\":%zu}", strlen(text));
    *out = slice_of(text);
    json_decref(value);
    return text;
}

static void store(struct exchange *exchange, struct slice action)
{
    struct audit_note *note = new_note(exchange, action);
    bool is_known;
    json_t *after;

    if (!note)
        return;
    after = state_of(exchange, &is_known);
    if (!is_known)
        after = asked(exchange);
    note->before = dumped(json_incref(exchange->before), &note->request.before);
    note->after = dumped(after, &note->request.after);
    exchange->webui->n_waiting++;
    if (!registry_audit(exchange->webui->parts.registry, &note->request)) {
        note->request.request.result = REGISTRY_FAILED;
        on_stored(&note->request.request);
    }
}

void audit_answered(struct exchange *exchange)
{
    static const char *const words[N_HTTP_METHODS] = {"GET", "POST", "DELETE"};
    char action[128];

    if (exchange->status >= 300 || !is_change(exchange))
        return;
    (void)snprintf(action, sizeof(action), "%s %s", words[exchange->method],
                   exchange->route->path + sizeof(API) - 1);
    store(exchange, slice_of(action));
}
