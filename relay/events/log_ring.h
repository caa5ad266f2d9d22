/* The last lines of the log, in memory: the events themselves, made into lines for whoever asks.
 * Bounded in number and bytes; warnings and errors have a ring of their own, so that no flood of
 * deliveries washes them away.
 * Thread: the event thread's; log_query_matches() any. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/event.h"
#include "relay/base/mailbox.h"

/* An event on its way: the fields and their texts lie behind it, in the same allocation. */
struct parcel {
    struct task task;
    uint32_t bytes;  /* of the allocation */
    uint64_t number; /* of its line, from 1 */
    struct event event;
    struct event_field fields[];
};

enum { LOG_RINGS = 2 };

struct log_ring {
    struct {
        struct parcel **parcels;
        uint32_t capacity, n, first; /* first: the oldest */
        size_t bytes;
    } rings[LOG_RINGS]; /* of ordinary lines, of warnings */
    uint64_t next_number;
};

MUST_USE int log_ring_init(struct log_ring *ring); /* 0 or -ENOMEM */
void log_ring_fini(struct log_ring *ring);

/* Takes the parcel, gives it its number, frees the oldest that it displaces. */
void log_ring_add(struct log_ring *ring, struct parcel *parcel);

/* What is wanted; empty slices, 0 and NULL do not restrict. */
struct log_query {
    enum event_level level; /* at least */
    uint64_t before, after; /* numbers of lines: below, above */
    int64_t from_utc_ms;
    struct slice text;  /* in the line, letter case ignored */
    struct slice event; /* its whole name */
    struct slice user;  /* its field `user` */
    uint32_t limit;
};

/* line: as log_format_event() makes it, or empty when the query has no text. */
bool log_query_matches(const struct log_query *query, const struct event *event, struct slice line);

/* Appends at most limit lines, the newest first, each as log_ring_print() lays them out.  Returns
 * where to go on (query.before), 0 at the end. */
uint64_t log_ring_find(const struct log_ring *ring, const struct log_query *query,
                       struct buffer *out);

/* u64 number, i64 UTC ms, u8 level, counted name, counted line, u32 fields, counted name and value
 * each. */
void log_ring_print(const struct parcel *parcel, struct slice line, struct buffer *out);
