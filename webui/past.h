/* How each destination and each user fared in the last hour and day, from the counters: read again
 * for whoever asks, at most once in some seconds, and once for all who ask meanwhile.
 * Thread: the panel's. */
#pragma once

#include "relay/base/arena.h"
#include "relay/base/list.h"
#include "webui/history_desk.h"

struct webui;

enum past_span { PAST_HOUR, PAST_DAY, N_PAST_SPANS };

struct past_sums {
    int64_t accepted, delivered, deferred, bounced; /* recipients; deferred: attempts */
};

struct past_row;
struct past_table {
    struct arena arena; /* of the names */
    struct past_row *rows;
    size_t n_rows, capacity;
    bool is_whole;
};

struct past {
    struct webui *webui;
    struct past_table table, next; /* next: being read */
    struct history_job job;
    struct list waiting; /* struct past_wait */
    bool is_running;
    int64_t read_ms; /* monotonic, of table; 0: never */
    int64_t now_s;   /* UTC, of next */
};

struct past_wait {
    struct list link;
    void (*done)(struct past_wait *wait);
};

void past_init(struct past *past, struct webui *webui);
void past_fini(struct past *past);

/* done: at once when what is known is fresh, or nobody can read; else when it has been read. */
void past_await(struct past *past, struct past_wait *wait);

/* NULL: not known, which is not the same as nothing.  Until the next past_await(). */
const struct past_sums *past_find(const struct past *past, enum counter_by by, enum past_span span,
                                  struct slice name);
