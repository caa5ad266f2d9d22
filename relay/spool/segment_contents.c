/* What lies in which segment, and who is looking at it. */
#include <errno.h>

#include "relay/base/event.h"
#include "relay/spool/segments.h"

uint64_t segments_bytes_of(const struct stored *stored)
{
    return RECORD_HEADER_BYTES + (uint64_t)stored->envelope_bytes +
           (stored->is_large ? 0 : stored_size(stored));
}

static void link_into(struct segment *segment, struct stored *stored)
{
    stored->next_in_segment = segment->first;
    segment->first = stored;
    segment->n_live++;
    segment->live_bytes += segments_bytes_of(stored);
}

void segments_add(struct segments *set, struct stored *stored)
{
    struct segment *segment = segments_find(set, place_segment(stored->place));

    if (segment)
        link_into(segment, stored_ref(stored));
}

/* Finished messages leave the list in sweeps, since the links go one way only. */
static void sweep(struct segment *segment)
{
    struct stored **link = &segment->first;

    while (*link) {
        struct stored *stored = *link;

        if (atomic_load(&stored->place) != PLACE_NONE) {
            link = &stored->next_in_segment;
            continue;
        }
        *link = stored->next_in_segment;
        stored_unref(stored);
    }
    segment->n_dead = 0;
}

static void uncount(struct segment *segment, const struct stored *stored)
{
    segment->n_live--;
    segment->live_bytes -= segments_bytes_of(stored);
}

void segments_remove(struct segments *set, struct stored *stored)
{
    enum { SWEEP_AT_LEAST = 256 };
    struct segment *segment = segments_find(set, place_segment(stored->place));

    atomic_store(&stored->place, PLACE_NONE);
    if (!segment)
        return;
    uncount(segment, stored);
    segment->n_dead++;
    if (segment->n_dead > segment->n_live + SWEEP_AT_LEAST || segment->n_live == 0)
        sweep(segment);
}

void segments_move(struct segments *set, struct stored *stored, uint64_t place)
{
    struct segment *from = segments_find(set, place_segment(stored->place));
    struct segment *to = segments_find(set, place_segment(place));

    uncount(from, stored);
    atomic_store(&stored->place, place);
    link_into(to, stored);
    if (from->n_live == 0) {
        sweep(from);
        EVENT(EVENT_SEGMENT_COMPACTED, field_number("segment", from->id));
    }
}

/* ---- leases ---- */

int segments_lease(const struct segments *set, const struct stored *stored,
                   struct segment **segment, uint64_t *place)
{
    for (;;) {
        uint64_t seen = atomic_load(&stored->place);
        struct segment *holder;

        if (seen == PLACE_NONE)
            return -ENOENT;
        holder = segments_find(set, place_segment(seen));
        if (!holder)
            return FAULT(-EBADMSG);
        /* Count first, look again: the spool changes the place before it looks at the count, so
         * one of us two sees the other. */
        atomic_fetch_add(&holder->n_leases, 1);
        if (atomic_load(&stored->place) == seen) {
            *segment = holder;
            *place = seen;
            return 0;
        }
        atomic_fetch_sub(&holder->n_leases, 1);
    }
}

void segments_release(const struct segments *set, uint64_t place)
{
    atomic_fetch_sub(&segments_find(set, place_segment(place))->n_leases, 1);
}
