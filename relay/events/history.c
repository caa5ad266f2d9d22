#include "relay/events/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/events/clock_trust.h"
#include "relay/events/history_private.h"
#include "sql/history_schema.h"

enum {
    GROUP_MS = 300,    /* a row waits for its commit so long at most */
    GROUP_ROWS = 4000, /* or for so many others */
    COUNT_MS = 10000,  /* between two times that counters are stored */
    SPACE_MS = 5000,   /* between two looks at the disk */
    RETRY_MS = 10000,  /* after a failure */
    REPORT_MS = 60000, /* between two lines about failures */
    KEEP_MS = 3600000, /* between two looks at what is too old */
    CACHE_KIB = 16384,
    MINUTE_MS = 60000,
};

struct history {
    struct history_settings settings;
    char *dir;
    struct counters *counters;
    struct db *db;
    char day[HISTORY_DAY_SIZE]; /* of the file that is open */
    unsigned n_rows;            /* of the transaction that is open */
    int64_t begun_ms;           /* monotonic; 0: none is */
    struct clock_trust trust;
    int64_t counted_ms, space_ms, retry_ms, reported_ms, kept_ms;
    int64_t counted_minute; /* of UTC */
    bool has_space;
    int64_t n_missing, missing_since_utc_ms; /* rows that could not be stored */
    const char *why;                         /* a literal */
};

int history_new(struct history **out, const struct history_settings *settings)
{
    struct history *history = calloc(1, sizeof(*history));
    int error = history ? counters_new(&history->counters, settings->dir) : -ENOMEM;

    if (error == 0) {
        history->settings = *settings;
        history->dir = strdup(settings->dir);
        history->settings.dir = history->dir;
        error = history->dir ? 0 : -ENOMEM;
    }
    if (error < 0) {
        history_free(history);
        return FAULT(error);
    }
    history->has_space = true;
    clock_trust_init(&history->trust, clock_monotonic_ms(), clock_utc_ms());
    *out = history;
    return 0;
}

/* ---- failures ---- */

static void note_missing(struct history *history, int64_t n, const char *why)
{
    if (n && history->n_missing == 0)
        history->missing_since_utc_ms = clock_utc_ms();
    history->n_missing += n;
    history->why = why;
}

static void report(struct history *history, const char *what, const char *reason)
{
    int64_t now_ms = clock_monotonic_ms();

    if (history->reported_ms && now_ms - history->reported_ms < REPORT_MS)
        return;
    history->reported_ms = now_ms;
    EVENT(EVENT_HISTORY_FAILED, field_text("what", what), field_text("reason", reason),
          field_number("missing", history->n_missing));
}

static void path_of_day(const struct history *history, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, "%s/%s.db%s", history->dir, history->day, suffix);
}

/* For whoever can read it; it goes when its day goes. */
static void put_aside(const struct history *history)
{
    char from[4200], to[4200], suffix[64];

    snprintf(suffix, sizeof(suffix), ".damaged-%lld", (long long)(clock_utc_ms() / 1000));
    path_of_day(history, "", from, sizeof(from));
    path_of_day(history, suffix, to, sizeof(to));
    (void)rename(from, to);
    path_of_day(history, "-wal", from, sizeof(from));
    (void)unlink(from);
    path_of_day(history, "-shm", from, sizeof(from));
    (void)unlink(from);
}

/* The rows of the open transaction are gone, with n more. */
static void fail(struct history *history, int error, unsigned n)
{
    note_missing(history, (int64_t)history->n_rows + n, error == -ENOSPC ? "disk_full" : "disk");
    history->n_rows = 0;
    history->begun_ms = 0;
    history->db = db_close(history->db); /* which rolls back */
    if (error == -EBADMSG)
        put_aside(history);
    else
        history->retry_ms = clock_monotonic_ms() + RETRY_MS;
    report(history, error == -EBADMSG ? "damaged" : "rows", strerror(-error));
}

static void tell_mended(struct history *history)
{
    if (history->n_missing == 0)
        return;
    counters_note_gap(history->counters, history->missing_since_utc_ms, clock_utc_ms(),
                      history->why, history->n_missing);
    EVENT(EVENT_HISTORY_MENDED, field_number("missing", history->n_missing),
          field_text("why", history->why));
    history->n_missing = 0;
}

/* What is nearly the last of the disk is the queue's. */
static void look_at_space(struct history *history, int64_t now_ms)
{
    struct statvfs space;

    if (history->space_ms && now_ms - history->space_ms < SPACE_MS)
        return;
    history->space_ms = now_ms;
    history->has_space = statvfs(history->dir, &space) < 0 ||
                         (uint64_t)space.f_bavail * space.f_frsize >= history->settings.min_free;
    if (!history->has_space)
        report(history, "space", "the disk is nearly full");
}

/* ---- rows ---- */

static int commit(struct history *history)
{
    int error = history->begun_ms ? db_commit(history->db) : 0;

    if (error < 0) {
        fail(history, error, 0);
        return error;
    }
    if (history->begun_ms)
        tell_mended(history);
    history->begun_ms = 0;
    history->n_rows = 0;
    return 0;
}

static void close_day(struct history *history)
{
    if (!history->db)
        return;
    /* A reader may have it open: then the log stays, and holds nothing that is not copied. */
    (void)!db_checkpoint(history->db, true);
    history->db = db_close(history->db);
}

static int open_day(struct history *history)
{
    static const struct db_settings settings = {
        .cache_kib = CACHE_KIB, .sync = DB_SYNC_OFF, .busy_ms = 1000};
    char today[HISTORY_DAY_SIZE], path[4200];

    history_day_of(clock_utc_ms(), today);
    if (history->db && strcmp(today, history->day) != 0) {
        close_day(history);
        history->kept_ms = 0; /* a day has become too old */
    }
    if (history->db)
        return 0;
    memcpy(history->day, today, sizeof(today));
    path_of_day(history, "", path, sizeof(path));
    return db_open(&history->db, path, &history_schema, DB_WRITE, &settings);
}

static int begin(struct history *history)
{
    int error = open_day(history);

    if (error == 0)
        error = db_begin(history->db);
    if (error == 0)
        history->begun_ms = clock_monotonic_ms();
    return error;
}

static int add(struct history *history, const struct history_row *row)
{
    struct statement *insert = db_statement(history->db, HISTORY_ADD);
    const struct slice head[] = {row->user, row->sender, row->recipient};
    const struct slice middle[] = {row->site, row->mx, row->egress, row->provider, row->tls};
    const struct slice replies[] = {row->enhanced, row->class, row->reply};
    const int64_t tail[] = {row->spent_ms, row->attempts, row->size, row->n_recipients};

    bind_number(insert, 1, row->at_utc_ms);
    bind_number(insert, 2, row->kind);
    bind_text(insert, 3, row->message);
    bind_number(insert, 4, row->n);
    for (int i = 0; i < 3; i++)
        bind_text(insert, 5 + i, head[i]);
    if (row->recipient.data)
        bind_number(insert, 8, history_address_hash(row->recipient));
    for (int i = 0; i < 5; i++)
        bind_text(insert, 9 + i, middle[i]);
    bind_number(insert, 14, row->code);
    for (int i = 0; i < 3; i++)
        bind_text(insert, 15 + i, replies[i]);
    for (int i = 0; i < 4; i++)
        bind_number(insert, 18 + i, tail[i]);
    bind_text(insert, 22, row->campaign);
    return statement_run(insert);
}

static void store_row(struct history *history, const struct history_row *row)
{
    int64_t now_ms = clock_monotonic_ms();
    int error;

    look_at_space(history, now_ms);
    if (!history->has_space || now_ms < history->retry_ms) {
        note_missing(history, 1, history->has_space ? "disk" : "disk_full");
        return;
    }
    error = history->begun_ms ? 0 : begin(history);
    if (error == 0)
        error = add(history, row);
    if (error < 0)
        fail(history, error, 1);
    else if (++history->n_rows >= GROUP_ROWS)
        (void)!commit(history);
}

void history_note(struct history *history, const struct event *event)
{
    struct history_row row;

    if (!history_row_of(event, &row))
        return;
    counters_note(history->counters, &row);
    store_row(history, &row);
}

void history_note_lost(struct history *history, enum event_kind event, int64_t n,
                       int64_t n_recipients)
{
    enum history_kind kind;

    if (!history_kind_of(event, &kind))
        return;
    counters_note_lost(history->counters, kind, n_recipients);
    counters_note_gap(history->counters, clock_utc_ms(), clock_utc_ms(), "overload", n);
}

void history_note_depth(struct history *history, int64_t n_queued)
{
    counters_note_depth(history->counters, n_queued);
}

/* ---- time ---- */

static void store_counters(struct history *history, int64_t now_ms)
{
    int error = history->has_space ? counters_store(history->counters, clock_utc_ms()) : 0;

    history->counted_ms = now_ms;
    history->counted_minute = clock_utc_ms() / MINUTE_MS;
    if (error < 0)
        report(history, error == -EBADMSG ? "damaged" : "counters", strerror(-error));
}

static bool trusts_clock_now(struct history *history, int64_t now_ms)
{
    int64_t utc_ms = clock_utc_ms(), seen_utc_ms;

    if (!history->trust.knows_past && counters_seen_before(history->counters, &seen_utc_ms))
        clock_trust_past(&history->trust, seen_utc_ms, utc_ms);
    return clock_trust_look(&history->trust, now_ms, utc_ms);
}

static void keep(struct history *history, int64_t now_ms)
{
    bool trusts_clock = trusts_clock_now(history, now_ms);
    int error = 0;

    if (history->kept_ms && now_ms - history->kept_ms < KEEP_MS)
        return;
    history->kept_ms = now_ms;
    history_keep(&history->settings, clock_utc_ms(), trusts_clock);
    if (trusts_clock && history->has_space)
        error = counters_forget(history->counters, clock_utc_ms());
    if (error < 0)
        report(history, "counters", strerror(-error));
}

/* Counters are stored on the minute too, so that none holds what belongs to the next. */
static int until_counted_ms(const struct history *history, int64_t now_ms)
{
    int64_t utc_ms = clock_utc_ms(), due_ms = history->counted_ms + COUNT_MS - now_ms;
    int64_t minute_ms = MINUTE_MS - utc_ms % MINUTE_MS;

    if (utc_ms / MINUTE_MS != history->counted_minute || due_ms <= 0)
        return 0;
    return (int)(due_ms < minute_ms ? due_ms : minute_ms);
}

int history_turn(struct history *history)
{
    int64_t now_ms = clock_monotonic_ms();
    int wait_ms;

    if (history->begun_ms && now_ms - history->begun_ms >= GROUP_MS)
        (void)!commit(history);
    look_at_space(history, now_ms);
    if (until_counted_ms(history, now_ms) == 0)
        store_counters(history, now_ms);
    keep(history, now_ms);
    wait_ms = until_counted_ms(history, now_ms);
    return history->begun_ms && wait_ms > GROUP_MS ? GROUP_MS : wait_ms;
}

struct history *history_free(struct history *history)
{
    if (!history)
        return NULL;
    if (history->db) {
        (void)!commit(history);
        close_day(history);
    }
    if (history->counters && history->counted_ms)
        store_counters(history, clock_monotonic_ms());
    counters_free(history->counters);
    free(history->dir);
    free(history);
    return NULL;
}
