#include "webui/past.h"

#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "webui/webui_private.h"

enum { FRESH_MS = 5000, HOUR_S = 3600, DAY_S = 86400 };

struct past_row {
    enum counter_by by;
    enum past_span span;
    struct slice name;
    struct past_sums sums;
};

static void table_clear(struct past_table *table)
{
    arena_reset(&table->arena);
    free(table->rows);
    *table = (struct past_table){0};
    arena_init(&table->arena, 0);
}

void past_init(struct past *past, struct webui *webui)
{
    *past = (struct past){.webui = webui};
    list_init(&past->waiting);
    table_clear(&past->table);
    table_clear(&past->next);
}

void past_fini(struct past *past)
{
    table_clear(&past->table);
    table_clear(&past->next);
}

/* ---- reading: on the reader thread ---- */

struct filling {
    struct past_table *table;
    enum counter_by by;
    enum past_span span;
};

static bool has_room(struct past_table *table)
{
    size_t more = table->capacity ? 2 * table->capacity : 256;
    struct past_row *rows;

    if (table->n_rows < table->capacity)
        return true;
    rows = realloc(table->rows, more * sizeof(*rows));
    if (!rows)
        return false;
    table->rows = rows;
    table->capacity = more;
    return true;
}

static void add_row(void *owner, struct slice name, int64_t accepted, int64_t delivered,
                    int64_t deferred, int64_t bounced)
{
    struct filling *filling = owner;
    struct past_table *table = filling->table;
    struct slice kept = arena_copy(&table->arena, name);

    if (!kept.data || !has_room(table)) {
        table->is_whole = false;
        return;
    }
    table->rows[table->n_rows++] = (struct past_row){
        filling->by, filling->span, kept, {accepted, delivered, deferred, bounced}
    };
}

static int compare_rows(const void *a, const void *b)
{
    const struct past_row *left = a, *right = b;
    size_t least = left->name.len < right->name.len ? left->name.len : right->name.len;
    int order;

    if (left->by != right->by)
        return left->by < right->by ? -1 : 1;
    if (left->span != right->span)
        return left->span < right->span ? -1 : 1;
    order = least ? memcmp(left->name.data, right->name.data, least) : 0;
    return order ? order : (left->name.len > right->name.len) - (left->name.len < right->name.len);
}

static void read_past(struct history_job *job, struct history_reader *reader)
{
    static const enum counter_by kinds[] = {COUNTER_SITE, COUNTER_USER};
    struct past *past = CONTAINER_OF(job, struct past, job);
    struct past_table *table = &past->next;

    table->is_whole = true;
    for (unsigned i = 0; i < 2 * N_PAST_SPANS; i++) {
        struct filling filling = {table, kinds[i / 2], (enum past_span)(i % 2)};
        /* The hour by slots of five minutes, the day by those of an hour. */
        struct counter_query query = {
            .by = filling.by,
            .tier = filling.span == PAST_HOUR ? 1 : 2,
            .from_s = past->now_s - (filling.span == PAST_HOUR ? HOUR_S : DAY_S),
            .until_s = past->now_s + HOUR_S,
        };

        if (history_reader_sums(reader, &query, add_row, &filling) < 0)
            table->is_whole = false;
    }
    if (table->n_rows)
        qsort(table->rows, table->n_rows, sizeof(*table->rows), compare_rows);
}

/* ---- asking ---- */

static void serve(struct past *past)
{
    struct list *link;

    while ((link = list_take_first(&past->waiting))) {
        struct past_wait *wait = CONTAINER_OF(link, struct past_wait, link);

        wait->done(wait);
    }
}

static void on_read(struct history_job *job)
{
    struct past *past = CONTAINER_OF(job, struct past, job);

    past->webui->n_waiting--;
    past->is_running = false;
    table_clear(&past->table);
    past->table = past->next;
    past->next = (struct past_table){0};
    arena_init(&past->next.arena, 0);
    past->read_ms = clock_monotonic_ms();
    serve(past);
}

static bool begin(struct past *past)
{
    past->job.answer_to = past->webui->mailbox;
    past->job.work = read_past;
    past->job.done = on_read;
    past->now_s = clock_utc_ms() / 1000;
    past->is_running =
        past->webui->history_desk && history_desk_ask(past->webui->history_desk, &past->job);
    past->webui->n_waiting += past->is_running;
    return past->is_running;
}

void past_await(struct past *past, struct past_wait *wait)
{
    bool is_fresh = past->read_ms && clock_monotonic_ms() - past->read_ms < FRESH_MS;

    if (!past->is_running && (is_fresh || !begin(past)))
        wait->done(wait);
    else
        list_append(&past->waiting, &wait->link);
}

const struct past_sums *past_find(const struct past *past, enum counter_by by, enum past_span span,
                                  struct slice name)
{
    static const struct past_sums none;
    const struct past_table *table = &past->table;
    struct past_row key = {.by = by, .span = span, .name = name}, *row;

    row =
        table->n_rows ? bsearch(&key, table->rows, table->n_rows, sizeof(key), compare_rows) : NULL;
    if (row)
        return &row->sums;
    key.name = slice_of(""); /* "other": what was not counted by its name may be in it */
    if (!table->is_whole ||
        (table->n_rows && bsearch(&key, table->rows, table->n_rows, sizeof(key), compare_rows)))
        return NULL;
    return &none;
}
