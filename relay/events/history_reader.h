/* Reads history beside its writer: outcomes from the newest back, day after day, in slices that
 * end in time.  Between two calls no snapshot is held.
 * Thread: one per reader, any that may read the disk; history_reader_interrupt() any. */
#pragma once

#include "relay/events/counters.h"
#include "relay/events/history.h"

struct history_reader;

MUST_USE int history_reader_new(struct history_reader **out, const char *dir);
struct history_reader *history_reader_free(struct history_reader *reader); /* NULL ok */
void history_reader_interrupt(struct history_reader *reader); /* the running slice ends: -EINTR */

/* What is wanted; empty slices and 0 do not restrict.  Addresses: whole, or a domain. */
struct history_filter {
    unsigned kinds; /* bits 1 << enum history_kind */
    struct slice user, sender, recipient, destination, message, campaign;
    struct slice reply, text; /* parts, letter case ignored; text: of addresses, reply, id */
    int64_t larger_than, from_utc_ms, until_utc_ms;
};

/* Behind which row to go on: a day and a row's id.  Empty day: from the newest. */
struct history_cursor {
    char day[HISTORY_DAY_SIZE];
    uint64_t id; /* rows below it; 0: all of that day */
};

/* False ends the listing after this row.  Slices are good during the call. */
typedef bool history_row_callback(void *owner, const struct history_row *row);

/* Calls on_row for the rows behind *cursor, at most limit, for about slice_ms; *cursor is where to
 * go on.  1: seen to the end; 0: there may be more; -EINTR or -errno. */
MUST_USE int history_reader_list(struct history_reader *reader, const struct history_filter *filter,
                                 uint32_t limit, int slice_ms, history_row_callback *on_row,
                                 void *owner, struct history_cursor *cursor);

/* ---- counters ---- */

struct counter_query {
    enum counter_by by;
    struct slice name;
    unsigned tier; /* of counter_tiers */
    int64_t from_s, until_s;
};

typedef void counter_row_callback(void *owner, int64_t slot_s,
                                  const int64_t columns[N_COUNTER_COLUMNS]);
typedef void counter_gap_callback(void *owner, int64_t begun_s, int64_t ended_s, struct slice why,
                                  int64_t n_rows);
typedef void counter_sum_callback(void *owner, struct slice name, int64_t accepted,
                                  int64_t delivered, int64_t deferred, int64_t bounced);

/* 0 or -errno; nothing counted yet is no error. */
MUST_USE int history_reader_counts(struct history_reader *reader, const struct counter_query *query,
                                   counter_row_callback *on_row, void *owner);
MUST_USE int history_reader_gaps(struct history_reader *reader, int64_t from_s, int64_t until_s,
                                 counter_gap_callback *on_gap, void *owner);
/* Of each name of a kind, in no order. */
MUST_USE int history_reader_sums(struct history_reader *reader, const struct counter_query *query,
                                 counter_sum_callback *on_sum, void *owner);
