/* Counters over time, and how they are shown.  Thread: a value; the reader's while it fills, then
 * the panel's. */
#pragma once

#include "webui/exchange.h"
#include "webui/history_desk.h"

enum { SERIES_METRICS = 12 };

enum metric_kind {
    METRIC_COUNT,   /* per minute */
    METRIC_DEPTH,   /* recipients */
    METRIC_LATENCY, /* seconds, within which a share of the deliveries was done */
};

struct metric {
    const char *name;
    enum metric_kind kind;
    unsigned column; /* latency: percent */
};

struct point {
    unsigned n_slots;
    int64_t sums[N_COUNTER_COLUMNS], least[N_COUNTER_COLUMNS], most[N_COUNTER_COLUMNS];
};

struct series {
    struct history_job job;
    struct exchange *exchange;
    struct counter_query query;
    const char *by; /* as asked for */
    const struct metric *metrics[SERIES_METRICS];
    unsigned n_metrics;
    int64_t step_s;
    struct point *points; /* malloc()ed */
    size_t n_points;
    json_t *gaps;
    bool is_csv;
    int result;
};

json_t *series_json(const struct series *series);
void series_print_csv(const struct series *series, struct buffer *out);
