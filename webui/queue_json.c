#include "webui/queue_json.h"

#include <inttypes.h>
#include <string.h>

#include "relay/spool/queue_id.h"

static const char *const state_names[] = {
    [RECIPIENT_QUEUED] = "queued",
    [RECIPIENT_DEFERRED] = "deferred",
    [RECIPIENT_HELD] = "held",
};

static json_t *recipient_json(const struct recipient_row *row)
{
    return json_pack("{s:i, s:o, s:s, s:i, s:o, s:o}", "n", (int)row->n, "address",
                     json_slice(row->address), "state", state_names[row->state], "attempts",
                     (int)row->attempts, "next",
                     row->state == RECIPIENT_HELD ? json_null() : json_time(row->next_utc_ms),
                     "reply", json_slice(row->reply));
}

json_t *queue_item_json(const struct message_row *row)
{
    json_t *recipients = json_array();
    char id[QUEUE_ID_SIZE];

    queue_id_format(row->id, id);
    for (uint32_t i = 0; i < row->n_rows; i++)
        json_array_append_new(recipients, recipient_json(&row->recipients[i]));
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:s, s:o, s:i, s:o}", "id", id, "user",
                     json_slice(row->user), "sender", json_slice(row->sender), "size",
                     (json_int_t)row->size, "arrived", json_time(row->arrived_utc_ms), "expires",
                     json_time(row->expires_utc_ms), "class",
                     row->class == CLASS_TRANSACTIONAL ? "transactional" : "bulk", "campaign",
                     json_slice(row->campaign), "n_recipients", (int)row->n_recipients,
                     "recipients", recipients);
}

static void mark(json_t *item, uint32_t n)
{
    json_t *recipients = json_object_get(item, "recipients");
    size_t index;
    json_t *recipient;

    json_array_foreach(recipients, index,
                       recipient) if (json_integer_value(json_object_get(recipient, "n")) == n)
        json_object_set_new(recipient, "state", json_string("sending"));
}

void queue_mark_sending(json_t *items, struct slice pairs)
{
    struct reader reader = {.rest = pairs};

    while (reader.rest.len) {
        uint64_t id = reader_u64(&reader);
        uint32_t n = reader_u32(&reader);
        char text[QUEUE_ID_SIZE];
        size_t index;
        json_t *item;

        if (reader.failed)
            return;
        queue_id_format(id, text);
        json_array_foreach(items, index,
                           item) if (strcmp(json_string_value(json_object_get(item, "id")), text) ==
                                     0) mark(item, n);
    }
}
