/* `stats`: recipients that failed or were put off, by bounce class, since the start. */
#include <stdlib.h>
#include <string.h>

#include "policy/bounce_report.h"
#include "webui/routes.h"

enum { MOST_NAMES = 1000 }; /* shown: those with the most */

struct stats {
    struct bounce_report_request request;
    struct exchange *exchange;
};

struct named {
    struct slice name;
    bool is_other;
    uint64_t n;
    json_t *failed, *deferred;
};

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct named *)a)->n, right = ((const struct named *)b)->n;

    return (left < right) - (left > right);
}

/* Rows of one name follow each other. */
static struct named *name_of(struct named *names, size_t *n, struct slice name, bool is_other)
{
    struct named *last = *n ? &names[*n - 1] : NULL;

    if (last && last->is_other == is_other && slice_equal(last->name, name))
        return last;
    names[*n] = (struct named){
        .name = name, .is_other = is_other, .failed = json_object(), .deferred = json_object()};
    return &names[(*n)++];
}

static void set(json_t *object, const char *bounce_class, uint64_t n)
{
    if (n)
        json_object_set_new(object, bounce_class, json_integer((json_int_t)n));
}

static size_t read_rows(struct slice rows, struct named *names, size_t most)
{
    struct reader reader = {.rest = rows};
    size_t n = 0;

    while (reader.rest.len && n < most) {
        uint32_t bounce_class = reader_u32(&reader);
        uint64_t failed = reader_u64(&reader), deferred = reader_u64(&reader);
        bool is_other = reader_u8(&reader) != 0;
        struct slice name = reader_counted(&reader);
        struct named *named;

        if (reader.failed || bounce_class >= N_BOUNCE_CLASSES)
            break;
        named = name_of(names, &n, name, is_other);
        named->n += failed + deferred;
        set(named->failed, bounce_class_name((enum bounce_class)bounce_class), failed);
        set(named->deferred, bounce_class_name((enum bounce_class)bounce_class), deferred);
    }
    return n;
}

static json_t *items_of(struct slice rows)
{
    /* A row is at least two numbers of 8 bytes, two of 4 and a byte. */
    size_t most = rows.len / 25 + 1;
    CLEANUP(free) struct named *names = calloc(most, sizeof(*names));
    json_t *items = json_array();
    size_t n = names ? read_rows(rows, names, most) : 0;

    if (n)
        qsort(names, n, sizeof(*names), compare);
    for (size_t i = 0; i < n; i++) {
        json_t *item =
            json_pack("{s:o, s:b, s:o, s:o}", "name", json_slice(names[i].name), "other",
                      names[i].is_other, "failed", names[i].failed, "deferred", names[i].deferred);

        if (i < MOST_NAMES)
            json_array_append_new(items, item);
        else
            json_decref(item);
    }
    return items;
}

static void on_report(struct bounce_report_request *request)
{
    struct stats *stats = CONTAINER_OF(request, struct stats, request);
    json_t *items = items_of(buffer_slice(&request->rows));

    buffer_fini(&request->rows);
    exchange_answer(stats->exchange, 200,
                    json_pack("{s:s, s:o}", "by", bounce_by_name(request->by), "items", items));
}

static bool find_by(const char *word, enum bounce_by *out)
{
    for (int i = 0; i < N_BOUNCE_BY; i++) {
        if (!word || strcmp(word, bounce_by_name((enum bounce_by)i)) == 0) {
            *out = (enum bounce_by)i;
            return true;
        }
    }
    return false;
}

void api_stats_bounces(struct exchange *exchange)
{
    struct stats *stats = exchange_memory(exchange, sizeof(*stats));

    if (!stats)
        return;
    stats->exchange = exchange;
    if (!find_by(exchange_query(exchange, "by"), &stats->request.by)) {
        exchange_problem(exchange, 422, "bad_by", "By is user, provider or campaign.");
        return;
    }
    stats->request.answer_to = exchange->webui->mailbox;
    stats->request.done = on_report;
    if (!exchange->webui->parts.policy ||
        !bounce_report_ask(exchange->webui->parts.policy, &stats->request))
        exchange_busy(exchange);
}
