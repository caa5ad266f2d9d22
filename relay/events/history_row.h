/* An event of mail as history and counters see it: its fields, found by name.
 * Thread: the event thread's. */
#pragma once

#include "relay/base/event.h"

enum history_kind {
    HISTORY_QUEUED, /* a message; all others are about one recipient */
    HISTORY_DELIVERED,
    HISTORY_DEFERRED,
    HISTORY_BOUNCED,
    HISTORY_EXPIRED,
    HISTORY_DELETED,
    HISTORY_HELD,
    N_HISTORY_KINDS
};

struct history_row {
    uint64_t id; /* of a row that was stored */
    int64_t at_utc_ms;
    enum history_kind kind;
    struct slice message, user, sender, recipient, site, mx, egress, provider, tls;
    struct slice enhanced, class, reply, campaign; /* .data NULL: not known */
    int64_t n, code, spent_ms, attempts, size, n_recipients;
};

/* The kinds of events that history keeps, for event_want(). */
extern const enum event_kind history_events[N_HISTORY_KINDS];

const char *history_kind_name(enum history_kind kind); /* queued, delivered, … */

/* False: it is no business of history.  The row's texts are the event's. */
bool history_row_of(const struct event *event, struct history_row *out);
bool history_kind_of(enum event_kind kind, enum history_kind *out);
