/* A series as columns: a mean line, a band from least to most, and the sums. */
#include "webui/series.h"

#include "relay/base/clock.h"

enum { MINUTE_S = 60 };

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

json_t *series_json(const struct series *series)
{
    json_t *times = json_array(), *columns = json_array();

    for (size_t i = 0; i < series->n_points; i++) {
        json_int_t at_s = series->query.from_s + (json_int_t)i * series->step_s;

        json_array_append_new(times, json_integer(at_s));
    }
    for (unsigned i = 0; i < series->n_metrics; i++)
        json_array_append_new(columns, metric_json(series, series->metrics[i]));
    return json_pack("{s:o, s:I, s:o, s:o, s:O}", "from", json_time(series->query.from_s * 1000),
                     "step", (json_int_t)series->step_s, "times", times, "series", columns, "gaps",
                     series->gaps);
}

void series_print_csv(const struct series *series, struct buffer *out)
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
