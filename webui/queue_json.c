#include "webui/queue_json.h"

#include <stdlib.h>
#include <string.h>

#include "relay/spool/queue_id.h"

static const char *const state_names[] = {
    [RECIPIENT_QUEUED] = "queued",
    [RECIPIENT_DEFERRED] = "deferred",
    [RECIPIENT_HELD] = "held",
};

/* {host,at}: a copy may have been delivered there and then; null: surely not. */
static json_t *doubt_json(const struct recipient_row *row)
{
    if (!(row->flags & RECIPIENT_DOUBTFUL))
        return json_null();
    return json_pack("{s:o, s:o}", "host", row->host.len ? json_slice(row->host) : json_null(),
                     "at", row->tried_utc_ms ? json_time(row->tried_utc_ms) : json_null());
}

static json_t *recipient_json(const struct recipient_row *row)
{
    return json_pack("{s:i, s:o, s:s, s:i, s:o, s:o, s:o}", "n", (int)row->n, "address",
                     json_slice(row->address), "state", state_names[row->state], "attempts",
                     (int)row->attempts, "next",
                     row->state == RECIPIENT_HELD ? json_null() : json_time(row->next_utc_ms),
                     "reply", json_slice(row->reply), "doubtful", doubt_json(row));
}

json_t *queue_item_json(const struct message_row *row, uint32_t most)
{
    json_t *recipients = json_array();
    char id[QUEUE_ID_SIZE];

    queue_id_format(row->id, id);
    for (uint32_t i = 0; i < row->n_rows && i < most; i++)
        json_array_append_new(recipients, recipient_json(&row->recipients[i]));
    return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:s, s:o, s:i, s:o}", "id", id, "user",
                     json_slice(row->user), "sender", json_slice(row->sender), "size",
                     (json_int_t)row->size, "arrived", json_time(row->arrived_utc_ms), "expires",
                     json_time(row->expires_utc_ms), "class",
                     row->class == CLASS_TRANSACTIONAL ? "transactional" : "bulk", "campaign",
                     json_slice(row->campaign), "n_recipients", (int)row->n_recipients,
                     "recipients", recipients);
}

bool queue_most_recipients(struct exchange *exchange, uint32_t *most)
{
    const char *text = exchange_query(exchange, "recipients");
    uint64_t number = UINT32_MAX;

    if (text && (!slice_to_number(slice_of(text), UINT32_MAX, &number) || number == 0)) {
        exchange_problem(exchange, 422, "bad_limit", "recipients is a number from 1 on.");
        return false;
    }
    *most = (uint32_t)number;
    return true;
}

void queue_cut_recipients(json_t *items, uint32_t most)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *recipients = json_object_get(json_array_get(items, i), "recipients");

        while (json_array_size(recipients) > most)
            json_array_remove(recipients, json_array_size(recipients) - 1);
    }
}

static void mark(json_t *item, uint32_t n)
{
    json_t *recipients = json_object_get(item, "recipients");

    for (size_t i = 0; i < json_array_size(recipients); i++) {
        json_t *recipient = json_array_get(recipients, i);

        if (json_integer_value(json_object_get(recipient, "n")) == n)
            json_object_set_new(recipient, "state", json_string("sending"));
    }
}

json_t *queue_states_json(const struct delivery_command *command)
{
    json_t *states = json_object();

    for (unsigned i = 0; i < N_ENTRY_STATES; i++) {
        const char *name = entry_state_name((enum entry_state)i);
        json_t *sum = json_object_get(states, name);

        if (i != ENTRY_FREE) /* two states of memory may be one to people */
            json_object_set_new(
                states, name,
                json_integer(json_integer_value(sum) + (json_int_t)command->n_by_state[i]));
    }
    return states;
}

struct place {
    uint64_t id;
    json_t *item;
};

static int compare_places(const void *a, const void *b)
{
    uint64_t left = ((const struct place *)a)->id, right = ((const struct place *)b)->id;

    return left < right ? -1 : left > right;
}

/* Items by id: what is being sent may be a hundred times more than a page. */
static struct place *make_index(json_t *items, size_t n)
{
    struct place *places = calloc(n + 1, sizeof(*places));

    for (size_t i = 0; places && i < n; i++) {
        json_t *item = json_array_get(items, i);

        if (queue_id_parse(slice_of(json_string_value(json_object_get(item, "id"))), &places[i].id))
            places[i].item = item;
    }
    if (places)
        qsort(places, n, sizeof(*places), compare_places);
    return places;
}

void queue_mark_sending(json_t *items, struct slice pairs)
{
    struct reader reader = {.rest = pairs};
    size_t n_items = json_array_size(items);
    CLEANUP(free) struct place *places = make_index(items, n_items);

    while (places && reader.rest.len && !reader.failed) {
        struct place key = {.id = reader_u64(&reader)}, *place;
        uint32_t n = reader_u32(&reader);

        place = bsearch(&key, places, n_items, sizeof(*places), compare_places);
        if (place && place->item && !reader.failed)
            mark(place->item, n);
    }
}

static bool has_state(json_t *recipient, const char *state)
{
    return strcmp(json_string_value(json_object_get(recipient, "state")), state) == 0;
}

void queue_keep_state(json_t *items, const char *state)
{
    for (size_t i = json_array_size(items); i > 0; i--) {
        json_t *recipients = json_object_get(json_array_get(items, i - 1), "recipients");

        for (size_t k = json_array_size(recipients); k > 0; k--)
            if (!has_state(json_array_get(recipients, k - 1), state))
                json_array_remove(recipients, k - 1);
        if (json_array_size(recipients) == 0)
            json_array_remove(items, i - 1);
    }
}
