#include "relay/events/log_ring.h"

#include <errno.h>
#include <stdlib.h>

#include "relay/base/log.h"

enum { MOST_BYTES = 8 << 20 };

static const uint32_t capacities[LOG_RINGS] = {8192, 2048};

int log_ring_init(struct log_ring *ring)
{
    *ring = (struct log_ring){.next_number = 1};
    for (unsigned i = 0; i < LOG_RINGS; i++) {
        ring->rings[i].capacity = capacities[i];
        ring->rings[i].parcels = calloc(capacities[i], sizeof(struct parcel *));
        if (!ring->rings[i].parcels) {
            log_ring_fini(ring);
            return FAULT(-ENOMEM);
        }
    }
    return 0;
}

static struct parcel *at(const struct log_ring *ring, unsigned which, uint32_t place)
{
    return ring->rings[which]
        .parcels[(ring->rings[which].first + place) % ring->rings[which].capacity];
}

static void drop_oldest(struct log_ring *ring, unsigned which)
{
    struct parcel *oldest = at(ring, which, 0);

    ring->rings[which].bytes -= oldest->bytes;
    ring->rings[which].first = (ring->rings[which].first + 1) % ring->rings[which].capacity;
    ring->rings[which].n--;
    free(oldest);
}

void log_ring_fini(struct log_ring *ring)
{
    for (unsigned i = 0; i < LOG_RINGS; i++) {
        while (ring->rings[i].parcels && ring->rings[i].n)
            drop_oldest(ring, i);
        free(ring->rings[i].parcels);
    }
    *ring = (struct log_ring){0};
}

void log_ring_add(struct log_ring *ring, struct parcel *parcel)
{
    unsigned which = event_level_of(parcel->event.kind) >= LEVEL_WARNING;

    parcel->number = ring->next_number++;
    while (ring->rings[which].n == ring->rings[which].capacity ||
           (ring->rings[which].n && ring->rings[which].bytes + parcel->bytes > MOST_BYTES))
        drop_oldest(ring, which);
    ring->rings[which]
        .parcels[(ring->rings[which].first + ring->rings[which].n) % ring->rings[which].capacity] =
        parcel;
    ring->rings[which].n++;
    ring->rings[which].bytes += parcel->bytes;
}

/* ---- asking ---- */

static bool contains_ignoring_case(struct slice whole, struct slice part)
{
    for (; whole.len >= part.len; whole = slice_skip(whole, 1)) {
        if (slice_equal_ignoring_case(slice_head(whole, part.len), part))
            return true;
        if (whole.len == 0)
            break;
    }
    return false;
}

static bool has_user(const struct event *event, struct slice user)
{
    for (unsigned i = 0; i < event->n_fields; i++)
        if (strcmp(event->fields[i].name, "user") == 0 && slice_equal(event->fields[i].text, user))
            return true;
    return false;
}

bool log_query_matches(const struct log_query *query, const struct event *event, struct slice line)
{
    if (event_level_of(event->kind) < query->level || event->utc_ms < query->from_utc_ms)
        return false;
    if (query->event.len && !slice_equal(slice_of(event_name(event->kind)), query->event))
        return false;
    if (query->user.len && !has_user(event, query->user))
        return false;
    return query->text.len == 0 || contains_ignoring_case(line, query->text);
}

static void print_field(const struct event_field *field, struct buffer *out)
{
    buffer_append_counted(out, slice_of(field->name));
    if (field->type == FIELD_TYPE_TEXT) {
        buffer_append_counted(out, field->text);
    } else {
        CLEANUP(buffer) struct buffer number = BUFFER_INIT;

        if (field->type == FIELD_TYPE_SECONDS)
            buffer_printf(&number, "%.3f", (double)field->number / 1000);
        else
            buffer_append_number(&number, field->number);
        buffer_append_counted(out, buffer_slice(&number));
    }
}

static bool is_shown(const struct event_field *field)
{
    return !field->is_quiet && (field->type != FIELD_TYPE_TEXT || field->text.data);
}

void log_ring_print(const struct parcel *parcel, struct slice line, struct buffer *out)
{
    const struct event *event = &parcel->event;
    uint32_t n = 0;

    for (unsigned i = 0; i < event->n_fields; i++)
        n += is_shown(&event->fields[i]);
    buffer_append_u64(out, parcel->number);
    buffer_append_u64(out, (uint64_t)event->utc_ms);
    buffer_append_u8(out, (uint8_t)event_level_of(event->kind));
    buffer_append_counted(out, slice_of(event_name(event->kind)));
    buffer_append_counted(out, slice_trim(line));
    buffer_append_u32(out, n);
    for (unsigned i = 0; i < event->n_fields; i++)
        if (is_shown(&event->fields[i]))
            print_field(&event->fields[i], out);
}

/* The newest of both rings below *place of each, taken off; NULL: none. */
static const struct parcel *take_newest(const struct log_ring *ring, uint32_t left[LOG_RINGS])
{
    const struct parcel *newest = NULL;
    unsigned from = 0;

    for (unsigned i = 0; i < LOG_RINGS; i++) {
        const struct parcel *parcel = left[i] ? at(ring, i, left[i] - 1) : NULL;

        if (parcel && (!newest || parcel->number > newest->number)) {
            newest = parcel;
            from = i;
        }
    }
    if (newest)
        left[from]--;
    return newest;
}

uint64_t log_ring_find(const struct log_ring *ring, const struct log_query *query,
                       struct buffer *out)
{
    CLEANUP(buffer) struct buffer line = BUFFER_INIT;
    uint32_t left[LOG_RINGS] = {ring->rings[0].n, ring->rings[1].n}, n_found = 0;
    const struct parcel *parcel;

    while ((parcel = take_newest(ring, left)) && parcel->number > query->after) {
        if (query->before && parcel->number >= query->before)
            continue;
        if (n_found == query->limit)
            return parcel->number + 1;
        buffer_clear(&line);
        log_format_event(&line, LOG_FORMAT_LOGFMT, &parcel->event);
        if (!log_query_matches(query, &parcel->event, buffer_slice(&line)))
            continue;
        log_ring_print(parcel, buffer_slice(&line), out);
        n_found++;
    }
    return 0;
}
