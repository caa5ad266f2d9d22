/* Counters as series over time: columns of a mean line and a band from least to most. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/asking.h"
#include "webui/routes.h"
#include "webui/series.h"

enum { MOST_POINTS = 2000, MINUTE_S = 60 };

/* ---- what can be asked ---- */

static const struct metric metrics[] = {
    {"accepted",    METRIC_COUNT,   COUNTER_ACCEPTED },
    {"delivered",   METRIC_COUNT,   COUNTER_DELIVERED},
    {"deferred",    METRIC_COUNT,   COUNTER_DEFERRED },
    {"bounced",     METRIC_COUNT,   COUNTER_BOUNCED  },
    {"expired",     METRIC_COUNT,   COUNTER_EXPIRED  },
    {"deleted",     METRIC_COUNT,   COUNTER_DELETED  },
    {"held",        METRIC_COUNT,   COUNTER_HELD     },
    {"messages",    METRIC_COUNT,   COUNTER_MESSAGES },
    {"bytes",       METRIC_COUNT,   COUNTER_BYTES    },
    {"queued",      METRIC_DEPTH,   0                },
    {"latency_p50", METRIC_LATENCY, 50               },
    {"latency_p95", METRIC_LATENCY, 95               },
};

static const struct {
    const char *name;
    int64_t span_s, step_s;
} ranges[] = {
    {"24h",   86400,        300  },
    {"week",  7 * 86400L,   1800 },
    {"month", 31 * 86400L,  7200 },
    {"year",  365 * 86400L, 86400},
};

/* ---- reading ---- */

static void add_slot(void *owner, int64_t slot_s, const int64_t columns[N_COUNTER_COLUMNS])
{
    struct series *series = owner;
    size_t at = (size_t)((slot_s - series->query.from_s) / series->step_s);
    struct point *point = &series->points[at];

    if (slot_s < series->query.from_s || at >= series->n_points)
        return;
    for (unsigned i = 0; i < N_COUNTER_COLUMNS; i++) {
        if (point->n_slots == 0 || columns[i] < point->least[i])
            point->least[i] = columns[i];
        if (point->n_slots == 0 || columns[i] > point->most[i])
            point->most[i] = columns[i];
        point->sums[i] += columns[i];
    }
    point->n_slots++;
}

static void add_gap(void *owner, int64_t begun_s, int64_t ended_s, struct slice why, int64_t n)
{
    json_array_append_new(owner, json_pack("{s:I, s:I, s:o, s:I}", "from", (json_int_t)begun_s,
                                           "to", (json_int_t)ended_s, "why", json_slice(why),
                                           "missing", (json_int_t)n));
}

/* On the reader thread. */
static void read_series(struct history_job *job, struct history_reader *reader)
{
    struct series *series = CONTAINER_OF(job, struct series, job);

    series->result = history_reader_counts(reader, &series->query, add_slot, series);
    if (series->result == 0)
        series->result = history_reader_gaps(reader, series->query.from_s, series->query.until_s,
                                             add_gap, series->gaps);
}

/* ---- the answer ---- */

static void answer(struct series *series)
{
    CLEANUP(buffer) struct buffer csv = BUFFER_INIT;

    if (series->result < 0) {
        exchange_problem(series->exchange, 503, "history_unreadable", strerror(-series->result));
    } else if (series->is_csv) {
        series_print_csv(series, &csv);
        exchange_answer_text(series->exchange, "text/csv; charset=utf-8", buffer_slice(&csv));
    } else {
        exchange_answer(series->exchange, 200, series_json(series));
    }
}

static void release(struct series *series)
{
    json_decref(series->gaps);
    free(series->points);
}

/* The exchange's memory may go with its answer. */
static void on_read(struct history_job *job)
{
    struct series *series = CONTAINER_OF(job, struct series, job);
    struct series last = *series;

    answer(&last);
    release(&last);
}

/* ---- the question ---- */

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

static const struct metric *find_metric(struct slice name)
{
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
        if (slice_equal(name, slice_of(metrics[i].name)))
            return &metrics[i];
    return NULL;
}

static bool read_metrics(struct series *series)
{
    const char *text = exchange_query(series->exchange, "metric");
    struct slice rest = slice_of(text ? text : "accepted,delivered,deferred,bounced");

    while (rest.len) {
        ptrdiff_t comma = slice_find(rest, ',');
        struct slice name = comma < 0 ? rest : slice_head(rest, (size_t)comma);
        const struct metric *metric = find_metric(name);

        if (!metric || series->n_metrics == SERIES_METRICS)
            return refuse(series->exchange, "bad_metric",
                          "Metrics are accepted, delivered, deferred, bounced, expired, deleted, "
                          "held, messages, bytes, queued, latency_p50 and latency_p95.");
        series->metrics[series->n_metrics++] = metric;
        rest = slice_skip(rest, comma < 0 ? rest.len : (size_t)comma + 1);
    }
    return series->n_metrics > 0 ||
           refuse(series->exchange, "bad_metric", "No metric is asked for.");
}

static bool read_by(struct series *series)
{
    const char *text = exchange_query(series->exchange, "by");
    struct slice whole = slice_of(text ? text : "total");
    ptrdiff_t colon = slice_find(whole, ':');
    struct slice kind = colon < 0 ? whole : slice_head(whole, (size_t)colon);

    series->by = text ? text : "total";
    for (unsigned by = 0; by < N_COUNTER_BY; by++) {
        if (!slice_equal(kind, slice_of(counter_by_name((enum counter_by)by))) ||
            (by == COUNTER_TOTAL) != (colon < 0))
            continue;
        series->query.by = (enum counter_by)by;
        series->query.name = colon < 0 ? slice_of("") : slice_skip(whole, (size_t)colon + 1);
        return true;
    }
    return refuse(series->exchange, "bad_by",
                  "By is total, user:NAME, site:NAME, provider:NAME or egress:NAME.");
}

static bool read_range(struct series *series, int64_t now_s)
{
    const char *name = exchange_query(series->exchange, "range");
    size_t which = 0;

    while (name && which < sizeof(ranges) / sizeof(ranges[0]) &&
           strcmp(name, ranges[which].name) != 0)
        which++;
    if (which == sizeof(ranges) / sizeof(ranges[0]))
        return refuse(series->exchange, "bad_range", "Ranges are 24h, week, month and year.");
    series->step_s = ranges[which].step_s;
    series->query.until_s = now_s - now_s % series->step_s + series->step_s;
    series->query.from_s = series->query.until_s - ranges[which].span_s;
    return true;
}

static bool read_step(struct series *series)
{
    const char *text = exchange_query(series->exchange, "step");
    int64_t span_s = series->query.until_s - series->query.from_s;
    uint64_t step_s = 0;

    if (span_s <= 0)
        return refuse(series->exchange, "bad_time", "It ends before it begins.");
    if (text && (!slice_to_number(slice_of(text), (uint64_t)366 * 86400, &step_s) ||
                 step_s < MINUTE_S || step_s % MINUTE_S))
        return refuse(series->exchange, "bad_step", "A step is whole minutes, in seconds.");
    if (step_s)
        series->step_s = (int64_t)step_s;
    else if (exchange_query(series->exchange, "from"))
        for (series->step_s = MINUTE_S; span_s / series->step_s > 400;)
            series->step_s *= series->step_s < 300 ? 5 : 2;
    if (span_s / series->step_s > MOST_POINTS)
        return refuse(series->exchange, "bad_step", "That would be over 2,000 points.");
    return true;
}

/* The finest that is not coarser than a step and reaches back far enough. */
static void choose_tier(struct series *series, int64_t now_s)
{
    unsigned tier = 0;

    while (tier + 1 < N_COUNTER_TIERS &&
           (now_s - series->query.from_s > counter_tiers[tier].kept_s ||
            (tier == 0 && series->step_s >= 1800) || (tier == 1 && series->step_s >= 86400)))
        tier++;
    series->query.tier = tier;
    if (series->step_s < counter_tiers[tier].span_s)
        series->step_s = counter_tiers[tier].span_s;
    series->step_s -= series->step_s % counter_tiers[tier].span_s;
    series->query.from_s -= series->query.from_s % counter_tiers[tier].span_s;
}

static bool read_time(struct series *series)
{
    int64_t now_s = clock_utc_ms() / 1000, from_ms = 0, until_ms = 0;

    if (!read_range(series, now_s) || !asking_time(series->exchange, "from", &from_ms) ||
        !asking_time(series->exchange, "to", &until_ms))
        return false;
    if (from_ms)
        series->query.from_s = from_ms / 1000;
    if (until_ms)
        series->query.until_s = until_ms / 1000;
    if (!read_step(series))
        return false;
    choose_tier(series, now_s);
    series->n_points =
        (size_t)((series->query.until_s - series->query.from_s + series->step_s - 1) /
                 series->step_s);
    return true;
}

static void ask(struct exchange *exchange, bool is_csv, struct slice user)
{
    struct series *series = exchange_memory(exchange, sizeof(*series));

    if (!series)
        return;
    series->exchange = exchange;
    series->is_csv = is_csv;
    if (!read_metrics(series) || !read_by(series) || !read_time(series))
        return;
    if (user.len) {
        series->query.by = COUNTER_USER;
        series->query.name = user;
        series->by = "user";
    }
    series->points = calloc(series->n_points, sizeof(*series->points));
    series->gaps = json_array();
    series->job.answer_to = exchange->webui->mailbox;
    series->job.work = read_series;
    series->job.done = on_read;
    if (series->points && history_desk_ask(exchange->webui->history_desk, &series->job))
        return;
    release(series);
    exchange_busy(exchange);
}

void api_series(struct exchange *exchange)
{
    ask(exchange, false, slice_of(""));
}

void api_series_csv(struct exchange *exchange)
{
    ask(exchange, true, slice_of(""));
}

void api_series_of(struct exchange *exchange, struct slice user)
{
    if (user.len)
        ask(exchange, false, user);
    else
        exchange_problem(exchange, 403, "role_forbidden", "Only users have rows of their own.");
}
