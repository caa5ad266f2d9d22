/* How much of what happened when: sums in memory for the minute that runs, added every few seconds
 * to four tiers of spans in counters.db (1 min for 48 h, 5 min for 35 d, 1 h for 400 d, 1 d for ten
 * years), in all and by user, site, provider and address of ours.  Names are bounded: what does not
 * fit in a day's bound is counted under the empty name, "other".
 * Thread: the event thread's; the tables of tiers and columns any. */
#pragma once

#include "relay/base/fault.h"
#include "relay/events/history_row.h"

enum counter_by {
    COUNTER_TOTAL,
    COUNTER_USER,
    COUNTER_SITE,
    COUNTER_PROVIDER,
    COUNTER_EGRESS,
    N_COUNTER_BY
};

/* In the order of sql/queries_counters.sql. */
enum counter_column {
    COUNTER_ACCEPTED, /* recipients, as all that follow */
    COUNTER_DELIVERED,
    COUNTER_DEFERRED,
    COUNTER_BOUNCED,
    COUNTER_EXPIRED,
    COUNTER_DELETED,
    COUNTER_HELD,
    COUNTER_MESSAGES,  /* accepted */
    COUNTER_BYTES,     /* of these */
    COUNTER_DEPTH_SUM, /* recipients queued, looked at now and then */
    COUNTER_DEPTH_N,   /* how often */
    COUNTER_DEPTH_MAX, /* the one that does not add up */
    COUNTER_SPENT,     /* deliveries by the time they took, COUNTER_SPANS columns */
    COUNTER_SPANS = 12,
    N_COUNTER_COLUMNS = COUNTER_SPENT + COUNTER_SPANS
};

enum { N_COUNTER_TIERS = 4 };

struct counter_tier {
    int64_t span_s, kept_s;
};
extern const struct counter_tier counter_tiers[N_COUNTER_TIERS];
extern const int64_t counter_span_ends_ms[COUNTER_SPANS]; /* the last has none: INT64_MAX */

const char *counter_by_name(enum counter_by by); /* total, user, site, provider, egress */

struct counters;

MUST_USE int counters_new(struct counters **out, const char *dir); /* 0 or -ENOMEM */
struct counters *counters_free(struct counters *counters);         /* NULL in, NULL out */

void counters_note(struct counters *counters, const struct history_row *row);
/* Events of a kind that found no room on their way: in all only. */
void counters_note_lost(struct counters *counters, enum history_kind kind, int64_t n_recipients);
void counters_note_depth(struct counters *counters, int64_t n_queued);
void counters_note_gap(struct counters *counters, int64_t begun_utc_ms, int64_t ended_utc_ms,
                       const char *why, int64_t n_rows); /* why: a literal */

/* Stores what was noted, as of utc_ms.  0, or -errno: it is kept in memory for the next time. */
MUST_USE int counters_store(struct counters *counters, int64_t utc_ms);
/* When something was stored last before this start, 0: never; false: not known yet. */
bool counters_seen_before(const struct counters *counters, int64_t *utc_ms);
/* Removes what its tier keeps no longer. */
MUST_USE int counters_forget(struct counters *counters, int64_t utc_ms);
