/* Sums of a minute on their way to counters.db, and what is kept there. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/events/counters_private.h"
#include "sql/counters_schema.h"

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
    if (!counters->knows_silence)
        counters->seen_s = seen_s;
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
        counters_forget_names(counters);
    }
    counters->minute = utc_ms / MINUTE_MS;
    return error;
}

bool counters_seen_before(const struct counters *counters, int64_t *utc_ms)
{
    if (counters->knows_silence)
        *utc_ms = counters->seen_s * 1000;
    return counters->knows_silence;
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
