/* Counters as series over time: columns of a mean line and a band from least to most. */
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/asking.h"
#include "webui/history_desk.h"
#include "webui/history_json.h"
#include "webui/routes.h"

enum { MOST_POINTS = 2000, MOST_METRICS = 12, MINUTE_S = 60 };

/* ---- what can be asked ---- */

enum metric_kind {
    METRIC_COUNT,   /* per minute */
    METRIC_DEPTH,   /* recipients */
    METRIC_LATENCY, /* seconds, within which a share of the deliveries was done */
};

static const struct metric {
    const char *name;
    enum metric_kind kind;
    unsigned column; /* latency: percent */
} metrics[] = {
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

struct point {
    unsigned n_slots;
    int64_t sums[N_COUNTER_COLUMNS], least[N_COUNTER_COLUMNS], most[N_COUNTER_COLUMNS];
};

struct series {
    struct history_job job;
    struct exchange *exchange;
    struct counter_query query;
    const char *by; /* as asked for */
    const struct metric *metrics[MOST_METRICS];
    unsigned n_metrics;
    int64_t step_s;
    struct point *points; /* malloc()ed */
    size_t n_points;
    json_t *gaps;
    bool is_csv;
    int result;
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

/* ---- showing ---- */

struct values {
    bool is_known;
    double mean, least, most, sum;
};

static struct values count_values(const struct series *series, const struct point *point,
                                  unsigned column)
{
    int64_t span_s = counter_tiers[series->query.tier].span_s;
    double slots = (double)series->step_s / (double)span_s;
    double per_minute = (double)MINUTE_S / (double)span_s;
    bool is_whole = point->n_slots + 0.5 > slots; /* a span without a row counted nothing */

    return (struct values){
        .is_known = true,
        .mean = (double)point->sums[column] / slots * per_minute,
        .least = is_whole ? (double)point->least[column] * per_minute : 0,
        .most = (double)point->most[column] * per_minute,
        .sum = (double)point->sums[column],
    };
}

/* Of spans without a look nothing is known. */
static struct values depth_values(const struct point *point)
{
    int64_t n = point->sums[COUNTER_DEPTH_N];
    double mean = n ? (double)point->sums[COUNTER_DEPTH_SUM] / (double)n : 0;

    return (struct values){n > 0, mean, mean, (double)point->most[COUNTER_DEPTH_MAX], mean};
}

/* Within the span that holds the wanted one, deliveries are taken to lie evenly. */
static struct values latency_values(const struct point *point, unsigned percent)
{
    const int64_t *spans = &point->sums[COUNTER_SPENT];
    int64_t n = 0, seen = 0;
    double wanted, begin_ms = 0;

    for (unsigned i = 0; i < COUNTER_SPANS; i++)
        n += spans[i];
    wanted = (double)n * percent / 100;
    for (unsigned i = 0; n && i < COUNTER_SPANS; i++) {
        double end_ms = i + 1 < COUNTER_SPANS ? (double)counter_span_ends_ms[i] : begin_ms * 2;

        if ((double)(seen + spans[i]) >= wanted && spans[i]) {
            double share = (wanted - (double)seen) / (double)spans[i];
            double seconds = (begin_ms + (end_ms - begin_ms) * share) / 1000;

            return (struct values){true, seconds, seconds, seconds, seconds};
        }
        seen += spans[i];
        begin_ms = end_ms;
    }
    return (struct values){.is_known = false};
}

static struct values values_of(const struct series *series, size_t at, const struct metric *metric)
{
    const struct point *point = &series->points[at];

    switch (metric->kind) {
    case METRIC_COUNT:
        return count_values(series, point, metric->column);
    case METRIC_DEPTH:
        return depth_values(point);
    case METRIC_LATENCY:
        break;
    }
    return latency_values(point, metric->column);
}

static void append(json_t *array, bool is_known, double value)
{
    double rounded = (double)(int64_t)(value * 1000 + 0.5) / 1000;

    if (!is_known)
        json_array_append_new(array, json_null());
    else if (rounded == (double)(int64_t)rounded)
        json_array_append_new(array, json_integer((json_int_t)rounded));
    else
        json_array_append_new(array, json_real(rounded));
}

static const char *unit_of(const struct metric *metric)
{
    static const char *const units[] = {
        [METRIC_COUNT] = "per_minute", [METRIC_DEPTH] = "recipients", [METRIC_LATENCY] = "seconds"};

    return units[metric->kind];
}

static json_t *metric_json(const struct series *series, const struct metric *metric)
{
    json_t *mean = json_array(), *least = json_array(), *most = json_array(), *sum = json_array();

    for (size_t i = 0; i < series->n_points; i++) {
        struct values values = values_of(series, i, metric);

        append(mean, values.is_known, values.mean);
        append(least, values.is_known, values.least);
        append(most, values.is_known, values.most);
        append(sum, values.is_known, values.sum);
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "metric", metric->name, "by",
                     series->by, "unit", unit_of(metric), "mean", mean, "min", least, "max", most,
                     "sum", sum);
}

static json_t *series_json(struct series *series)
{
    json_t *times = json_array(), *columns = json_array();

    for (size_t i = 0; i < series->n_points; i++)
        json_array_append_new(
            times, json_integer((json_int_t)(series->query.from_s + (int64_t)i * series->step_s)));
    for (unsigned i = 0; i < series->n_metrics; i++)
        json_array_append_new(columns, metric_json(series, series->metrics[i]));
    return json_pack("{s:o, s:I, s:o, s:o, s:O}", "from", json_time(series->query.from_s * 1000),
                     "step", (json_int_t)series->step_s, "times", times, "series", columns, "gaps",
                     series->gaps);
}

static void print_csv(const struct series *series, struct buffer *out)
{
    buffer_append_text(out, "time");
    for (unsigned i = 0; i < series->n_metrics; i++)
        buffer_printf(out, ",%s", series->metrics[i]->name);
    buffer_append_text(out, "\r\n");
    for (size_t at = 0; at < series->n_points; at++) {
        char stamp[CLOCK_DATE_SIZE];

        clock_format_timestamp((series->query.from_s + (int64_t)at * series->step_s) * 1000, stamp);
        buffer_append_text(out, stamp);
        for (unsigned i = 0; i < series->n_metrics; i++) {
            struct values values = values_of(series, at, series->metrics[i]);

            buffer_append_byte(out, ',');
            if (values.is_known)
                buffer_printf(out, "%.10g", values.sum);
        }
        buffer_append_text(out, "\r\n");
    }
}

static void answer(struct series *series)
{
    CLEANUP(buffer) struct buffer csv = BUFFER_INIT;

    if (series->result < 0) {
        exchange_problem(series->exchange, 503, "history_unreadable", strerror(-series->result));
    } else if (series->is_csv) {
        print_csv(series, &csv);
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

        if (!metric || series->n_metrics == MOST_METRICS)
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
    if (text && (!slice_to_number(slice_of(text), 366 * 86400, &step_s) || step_s < MINUTE_S ||
                 step_s % MINUTE_S))
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
