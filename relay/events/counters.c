#include "relay/events/counters_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/crc32c.h"

const struct counter_tier counter_tiers[N_COUNTER_TIERS] = {
    {60,    48 * 3600L    },
    {300,   35 * 86400L   },
    {3600,  400 * 86400L  },
    {86400, 3650L * 86400L},
};

const int64_t counter_span_ends_ms[COUNTER_SPANS] = {
    1000, 2000, 5000, 10000, 30000, 60000, 300000, 900000, 3600000, 14400000, 86400000, INT64_MAX,
};

static const struct {
    const char *name;
    unsigned most;
} kinds[N_COUNTER_BY] = {
    [COUNTER_TOTAL] = {"total",    1  },
      [COUNTER_USER] = {"user",     300},
    [COUNTER_SITE] = {"site",     400},
      [COUNTER_PROVIDER] = {"provider", 100},
    [COUNTER_EGRESS] = {"egress",   100},
};

const char *counter_by_name(enum counter_by by)
{
    return kinds[by].name;
}

int counters_new(struct counters **out, const char *dir)
{
    struct counters *counters = calloc(1, sizeof(*counters));

    if (counters && asprintf(&counters->path, "%s/counters.db", dir) < 0)
        counters->path = NULL;
    if (!counters || !counters->path) {
        free(counters);
        return FAULT(-ENOMEM);
    }
    *out = counters;
    return 0;
}

void counters_forget_names(struct counters *counters)
{
    for (unsigned i = 0; i < counters->n_names; i++)
        free(counters->names[i].name);
    counters->n_names = 0;
    memset(counters->n_by, 0, sizeof(counters->n_by));
    memset(counters->index, 0, sizeof(counters->index));
}

struct counters *counters_free(struct counters *counters)
{
    if (!counters)
        return NULL;
    counters_forget_names(counters);
    db_close(counters->db);
    free(counters->path);
    free(counters);
    return NULL;
}

/* ---- in memory ---- */

static struct counted *add(struct counters *counters, enum counter_by by, struct slice name,
                           uint16_t *place)
{
    struct counted *counted = &counters->names[counters->n_names];
    char *copy = slice_to_string(name);

    if (!copy)
        return NULL;
    *counted = (struct counted){.by = by, .name = copy};
    counters->n_by[by]++;
    *place = (uint16_t)++counters->n_names;
    return counted;
}

static uint16_t *find_place(struct counters *counters, enum counter_by by, struct slice name)
{
    uint32_t at = crc32c((uint32_t)by, name);

    for (;; at++) {
        uint16_t *place = &counters->index[at % INDEX_SLOTS];
        const struct counted *counted = *place ? &counters->names[*place - 1] : NULL;

        if (!counted || (counted->by == by && slice_equal(slice_of(counted->name), name)))
            return place;
    }
}

/* NULL without memory.  One of each kind is kept for "other". */
static struct counted *counted_of(struct counters *counters, enum counter_by by, struct slice name)
{
    uint16_t *place = find_place(counters, by, name);

    if (!*place && name.len && counters->n_by[by] + 1 >= kinds[by].most) {
        name = slice_of("");
        place = find_place(counters, by, name);
    }
    return *place ? &counters->names[*place - 1] : add(counters, by, name, place);
}

static void add_row(struct counters *counters, enum counter_by by, struct slice name,
                    const int64_t columns[N_COUNTER_COLUMNS])
{
    struct counted *counted = counted_of(counters, by, name);

    if (!counted)
        return;
    counted->is_touched = true;
    for (unsigned i = 0; i < N_COUNTER_COLUMNS; i++)
        if (i != COUNTER_DEPTH_MAX)
            counted->columns[i] += columns[i];
        else if (columns[i] > counted->columns[i])
            counted->columns[i] = columns[i];
}

static unsigned span_of(int64_t spent_ms)
{
    unsigned span = 0;

    while (spent_ms >= counter_span_ends_ms[span] && span + 1 < COUNTER_SPANS)
        span++;
    return span;
}

static const enum counter_column column_of[N_HISTORY_KINDS] = {
    [HISTORY_QUEUED] = COUNTER_ACCEPTED,   [HISTORY_DELIVERED] = COUNTER_DELIVERED,
    [HISTORY_DEFERRED] = COUNTER_DEFERRED, [HISTORY_BOUNCED] = COUNTER_BOUNCED,
    [HISTORY_EXPIRED] = COUNTER_EXPIRED,   [HISTORY_DELETED] = COUNTER_DELETED,
    [HISTORY_HELD] = COUNTER_HELD,
};

void counters_note(struct counters *counters, const struct history_row *row)
{
    int64_t columns[N_COUNTER_COLUMNS] = {0};
    const struct slice names[N_COUNTER_BY] = {
        [COUNTER_TOTAL] = slice_of(""), [COUNTER_USER] = row->user,
        [COUNTER_SITE] = row->site,     [COUNTER_PROVIDER] = row->provider,
        [COUNTER_EGRESS] = row->egress,
    };

    columns[column_of[row->kind]] = row->kind == HISTORY_QUEUED ? row->n_recipients : 1;
    if (row->kind == HISTORY_QUEUED) {
        columns[COUNTER_MESSAGES] = 1;
        columns[COUNTER_BYTES] = row->size;
    }
    if (row->kind == HISTORY_DELIVERED)
        columns[COUNTER_SPENT + span_of(row->spent_ms)] = 1;
    add_row(counters, COUNTER_TOTAL, slice_of(""), columns);
    for (unsigned by = COUNTER_USER; by < N_COUNTER_BY; by++)
        if (names[by].len)
            add_row(counters, (enum counter_by)by, names[by], columns);
}

void counters_note_lost(struct counters *counters, enum history_kind kind, int64_t n_recipients)
{
    int64_t columns[N_COUNTER_COLUMNS] = {[COUNTER_ACCEPTED] = 0};

    columns[column_of[kind]] = n_recipients;
    add_row(counters, COUNTER_TOTAL, slice_of(""), columns);
}

void counters_note_depth(struct counters *counters, int64_t n_queued)
{
    const int64_t columns[N_COUNTER_COLUMNS] = {
        [COUNTER_DEPTH_SUM] = n_queued,
        [COUNTER_DEPTH_N] = 1,
        [COUNTER_DEPTH_MAX] = n_queued,
    };

    add_row(counters, COUNTER_TOTAL, slice_of(""), columns);
}

void counters_note_gap(struct counters *counters, int64_t begun_utc_ms, int64_t ended_utc_ms,
                       const char *why, int64_t n_rows)
{
    struct gap *gap;

    if (counters->n_gaps < MOST_GAPS)
        counters->gaps[counters->n_gaps++] =
            (struct gap){begun_utc_ms / 1000, ended_utc_ms / 1000, n_rows, why};
    else {
        gap = &counters->gaps[MOST_GAPS - 1]; /* the disk is away: they run together */
        gap->ended_s = ended_utc_ms / 1000;
        gap->n_rows += n_rows;
    }
}
