#include "relay/events/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/base/crc32c.h"
#include "sql/counters_schema.h"

enum {
    INDEX_SLOTS = 2048, /* a power of two, twice as many as names */
    MOST_NAMES = 1000,
    MOST_GAPS = 16,
    STOPPED_S = 60, /* a shorter silence is a restart that nobody needs to know of */
    MINUTE_MS = 60000,
    DAY_MS = 86400000,
};

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

struct counted {
    enum counter_by by;
    char *name;
    int64_t id; /* of its row; 0: not known */
    bool is_touched;
    int64_t columns[N_COUNTER_COLUMNS];
};

struct gap {
    int64_t begun_s, ended_s, n_rows;
    const char *why;
};

struct counters {
    char *path;
    struct db *db;
    struct counted names[MOST_NAMES];
    unsigned n_names, n_by[N_COUNTER_BY];
    uint16_t index[INDEX_SLOTS]; /* place in names and one; 0: free */
    int64_t minute, day;         /* that the sums belong to; that the names do */
    struct gap gaps[MOST_GAPS];
    unsigned n_gaps;
    bool knows_silence; /* the gap before this start was looked for */
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

static void forget_all_names(struct counters *counters)
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
    forget_all_names(counters);
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

    if (*place)
        return &counters->names[*place - 1];
    if (name.len && counters->n_by[by] + 1 >= kinds[by].most)
        return counted_of(counters, by, slice_of(""));
    return add(counters, by, name, place);
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

/* ---- on disk ---- */

/* A damaged file goes aside, for whoever can read it, and a new one begins. */
static void put_aside(const struct counters *counters, int64_t utc_ms)
{
    char to[4200], beside[4200];

    snprintf(to, sizeof(to), "%s.damaged-%lld", counters->path, (long long)(utc_ms / 1000));
    (void)rename(counters->path, to);
    snprintf(beside, sizeof(beside), "%s-wal", counters->path);
    (void)unlink(beside);
    snprintf(beside, sizeof(beside), "%s-shm", counters->path);
    (void)unlink(beside);
}

static int read_fact(struct db *db, const char *name, int64_t *value)
{
    struct statement *recall = db_statement(db, COUNTERS_RECALL);
    int result;

    bind_text(recall, 1, slice_of(name));
    result = statement_step(recall);
    if (result == STATEMENT_ROW) {
        *value = column_number(recall, 0);
        statement_reset(recall);
    }
    return result < 0 ? result : 0;
}

static void note_silence(struct counters *counters, int64_t seen_s, int64_t utc_ms)
{
    if (!counters->knows_silence && seen_s && utc_ms / 1000 - seen_s > STOPPED_S)
        counters_note_gap(counters, seen_s * 1000, utc_ms, "stopped", 0);
    counters->knows_silence = true;
}

static int open_database(struct counters *counters, int64_t utc_ms)
{
    static const struct db_settings settings = {.sync = DB_SYNC_NORMAL, .busy_ms = 1000};
    int64_t seen_s = 0;
    int error;

    if (counters->db)
        return 0;
    error = db_open(&counters->db, counters->path, &counters_schema, DB_WRITE, &settings);
    if (error == 0)
        error = read_fact(counters->db, "seen", &seen_s);
    if (error == 0)
        note_silence(counters, seen_s, utc_ms);
    else
        counters->db = db_close(counters->db);
    return error;
}

static int find_id(struct db *db, struct counted *counted)
{
    struct statement *find = db_statement(db, COUNTERS_FIND_NAME), *insert;
    int result;

    bind_number(find, 1, counted->by);
    bind_text(find, 2, slice_of(counted->name));
    result = statement_step(find);
    if (result == STATEMENT_ROW) {
        counted->id = column_number(find, 0);
        statement_reset(find);
        return 0;
    }
    if (result < 0)
        return result;
    insert = db_statement(db, COUNTERS_ADD_NAME);
    bind_number(insert, 1, counted->by);
    bind_text(insert, 2, slice_of(counted->name));
    result = statement_run(insert);
    if (result == 0)
        counted->id = db_last_rowid(db);
    return result;
}

static int store_one(struct db *db, struct counted *counted, int64_t minute)
{
    int error = counted->id ? 0 : find_id(db, counted);

    for (unsigned tier = 0; error == 0 && tier < N_COUNTER_TIERS; tier++) {
        struct statement *count = db_statement(db, COUNTERS_COUNT);
        int64_t span_s = counter_tiers[tier].span_s;

        bind_number(count, 1, tier);
        bind_number(count, 2, counted->id);
        bind_number(count, 3, minute * 60 / span_s * span_s);
        for (int i = 0; i < N_COUNTER_COLUMNS; i++)
            bind_number(count, 4 + i, counted->columns[i]);
        error = statement_run(count);
    }
    return error;
}

static int store_gaps(struct counters *counters)
{
    int error = 0;

    for (unsigned i = 0; error == 0 && i < counters->n_gaps; i++) {
        struct statement *add_gap = db_statement(counters->db, COUNTERS_ADD_GAP);
        const struct gap *gap = &counters->gaps[i];

        bind_number(add_gap, 1, gap->begun_s);
        bind_number(add_gap, 2, gap->ended_s);
        bind_text(add_gap, 3, slice_of(gap->why));
        bind_number(add_gap, 4, gap->n_rows);
        error = statement_run(add_gap);
    }
    return error;
}

static int remember(struct db *db, const char *name, int64_t value)
{
    struct statement *remember_fact = db_statement(db, COUNTERS_REMEMBER);

    bind_text(remember_fact, 1, slice_of(name));
    bind_number(remember_fact, 2, value);
    return statement_run(remember_fact);
}

static int store_all(struct counters *counters, int64_t utc_ms)
{
    int error = db_begin(counters->db);

    for (unsigned i = 0; error == 0 && i < counters->n_names; i++)
        if (counters->names[i].is_touched)
            error = store_one(counters->db, &counters->names[i], counters->minute);
    if (error == 0)
        error = store_gaps(counters);
    if (error == 0)
        error = remember(counters->db, "seen", utc_ms / 1000);
    if (error == 0)
        error = db_commit(counters->db);
    else
        db_rollback(counters->db);
    return error;
}

static void begin_anew(struct counters *counters)
{
    counters->n_gaps = 0;
    for (unsigned i = 0; i < counters->n_names; i++) {
        counters->names[i].is_touched = false;
        memset(counters->names[i].columns, 0, sizeof(counters->names[i].columns));
    }
}

/* What could not be stored counts for the minute in which it can. */
int counters_store(struct counters *counters, int64_t utc_ms)
{
    int error = open_database(counters, utc_ms);

    if (counters->minute == 0)
        counters->minute = utc_ms / MINUTE_MS;
    if (error == 0)
        error = store_all(counters, utc_ms);
    if (error == 0)
        begin_anew(counters);
    for (unsigned i = 0; error < 0 && i < counters->n_names; i++)
        counters->names[i].id = 0; /* it may have been of what was rolled back */
    if (error < 0)
        counters->db = db_close(counters->db);
    if (error == -EBADMSG)
        put_aside(counters, utc_ms);
    if (error == 0 && counters->day != utc_ms / DAY_MS) {
        counters->day = utc_ms / DAY_MS;
        forget_all_names(counters);
    }
    counters->minute = utc_ms / MINUTE_MS;
    return error;
}

/* ---- what is kept ---- */

static int forget_name(struct db *db, int64_t id, int64_t now_s)
{
    int error = 0;

    for (unsigned tier = 0; error == 0 && tier < N_COUNTER_TIERS; tier++) {
        struct statement *forget = db_statement(db, COUNTERS_FORGET);

        bind_number(forget, 1, tier);
        bind_number(forget, 2, id);
        bind_number(forget, 3, now_s - counter_tiers[tier].kept_s);
        error = statement_run(forget);
    }
    return error;
}

static int forget_names(struct db *db, int64_t now_s)
{
    struct statement *names = db_statement(db, COUNTERS_ALL_NAMES), *forget;
    int result, error = 0;

    while ((result = statement_step(names)) == STATEMENT_ROW && error == 0)
        error = forget_name(db, column_number(names, 0), now_s);
    statement_reset(names);
    if (result < 0 || error < 0)
        return error < 0 ? error : result;
    forget = db_statement(db, COUNTERS_FORGET_GAPS);
    bind_number(forget, 1, now_s - counter_tiers[N_COUNTER_TIERS - 1].kept_s);
    error = statement_run(forget);
    return error < 0 ? error : statement_run(db_statement(db, COUNTERS_FORGET_NAMES));
}

int counters_forget(struct counters *counters, int64_t utc_ms)
{
    int error = open_database(counters, utc_ms);

    if (error == 0)
        error = db_begin(counters->db);
    if (error < 0)
        return error;
    error = forget_names(counters->db, utc_ms / 1000);
    /* A name may have gone whose number is remembered. */
    for (unsigned i = 0; i < counters->n_names; i++)
        counters->names[i].id = 0;
    if (error == 0)
        return db_commit(counters->db);
    db_rollback(counters->db);
    return error;
}
