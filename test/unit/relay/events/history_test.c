/* What is told of mail can be looked up afterwards, whatever the disk does meanwhile. */
#include "test/support/test_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/events/events.h"
#include "relay/events/history_private.h"
#include "relay/events/history_reader.h"

enum { MOST_SEEN = 4096 };

struct fixture {
    char dir[64];
    int stderr_before;
    struct history_settings settings;
    struct history_reader *reader;
    unsigned n_seen;
    struct {
        char message[16], recipient[64];
        enum history_kind kind;
        int64_t spent_ms;
    } seen[MOST_SEEN];
    int64_t sums[N_COUNTER_COLUMNS];
    unsigned n_slots;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int nowhere = open("/dev/null", O_WRONLY);

    snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/history-test.XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fixture->settings =
        (struct history_settings){.dir = fixture->dir, .kept_days = 21, .max_bytes = 1 << 30};
    assert_int_equal(history_reader_new(&fixture->reader, fixture->dir), 0);
    fixture->stderr_before = dup(STDERR_FILENO);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
    *state = fixture;
    return 0;
}

static void remove_all(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *file;

    while (folder && (file = readdir(folder)))
        (void)unlinkat(dirfd(folder), file->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    dup2(fixture->stderr_before, STDERR_FILENO);
    close(fixture->stderr_before);
    history_reader_free(fixture->reader);
    remove_all(fixture->dir);
    free(fixture);
    return 0;
}

static void tell_outcome(enum event_kind kind, const char *id, const char *to, int64_t spent_ms)
{
    EVENT(kind, field_text("msg", id), field_number("rcpt", 1), field_text("to", to),
          field_text("site", "mx.example.net"), field_text("mx", NULL), field_number("code", 250),
          field_text("reply", "250 2.0.0 fine, %thanks%"), field_seconds("secs", spent_ms),
          field_quiet(field_text("user", "anna")),
          field_quiet(field_text("from", "news@example.org")));
}

static bool note_row(void *owner, const struct history_row *row)
{
    struct fixture *fixture = owner;

    assert_true(fixture->n_seen < MOST_SEEN);
    slice_copy_to(row->message, fixture->seen[fixture->n_seen].message, 16);
    slice_copy_to(row->recipient, fixture->seen[fixture->n_seen].recipient, 64);
    fixture->seen[fixture->n_seen].kind = row->kind;
    fixture->seen[fixture->n_seen++].spent_ms = row->spent_ms;
    return true;
}

static unsigned find(struct fixture *fixture, const struct history_filter *filter)
{
    struct history_cursor cursor = {.id = 0};

    fixture->n_seen = 0;
    assert_int_equal(
        history_reader_list(fixture->reader, filter, MOST_SEEN, 10000, note_row, fixture, &cursor),
        1);
    return fixture->n_seen;
}

static void add_counts(void *owner, int64_t slot_s, const int64_t columns[N_COUNTER_COLUMNS])
{
    struct fixture *fixture = owner;

    (void)slot_s;
    fixture->n_slots++;
    for (unsigned i = 0; i < N_COUNTER_COLUMNS; i++)
        fixture->sums[i] += columns[i];
}

static const int64_t *count(struct fixture *fixture, enum counter_by by, const char *name,
                            unsigned tier)
{
    const struct counter_query query = {by, slice_of(name), tier, 0, INT64_MAX};

    memset(fixture->sums, 0, sizeof(fixture->sums));
    fixture->n_slots = 0;
    assert_int_equal(history_reader_counts(fixture->reader, &query, add_counts, fixture), 0);
    return fixture->sums;
}

static struct events *start(struct fixture *fixture)
{
    struct events *events = NULL;

    assert_int_equal(events_start(&events, &fixture->settings), 0);
    return events;
}

static void what_became_of_mail_is_found_by_message_and_recipient(void **state)
{
    struct fixture *fixture = *state;
    struct events *events = start(fixture);

    EVENT(EVENT_QUEUED, field_text("msg", "AAAA"), field_text("user", "anna"),
          field_text("from", "news@example.org"), field_number("size", 1234),
          field_number("nrcpt", 3));
    tell_outcome(EVENT_DEFERRED, "AAAA", "Carla@example.net", 10);
    tell_outcome(EVENT_DELIVERED, "AAAA", "Carla@example.net", 4000);
    tell_outcome(EVENT_BOUNCED, "AAAA", "nobody@example.com", 20);
    tell_outcome(EVENT_DELIVERED, "BBBB", "dora@example.net", 30);
    events_stop(events);

    assert_int_equal(find(fixture, &(struct history_filter){.message = slice_of("AAAA")}), 4);
    assert_int_equal(fixture->seen[0].kind, HISTORY_BOUNCED); /* the newest first */
    assert_int_equal(fixture->seen[3].kind, HISTORY_QUEUED);
    assert_int_equal(
        find(fixture, &(struct history_filter){.recipient = slice_of("carla@EXAMPLE.net")}), 2);
    assert_int_equal(fixture->seen[0].spent_ms, 4000);
    assert_int_equal(find(fixture, &(struct history_filter){.recipient = slice_of("example.net")}),
                     3);
    assert_int_equal(find(fixture, &(struct history_filter){.user = slice_of("anna"),
                                                            .kinds = 1U << HISTORY_DELIVERED}),
                     2);
    assert_int_equal(find(fixture, &(struct history_filter){.reply = slice_of("%THANKS")}), 4);
    assert_int_equal(find(fixture, &(struct history_filter){.text = slice_of("nobody@")}), 1);
    assert_int_equal(find(fixture, &(struct history_filter){.user = slice_of("berta")}), 0);
}

static void counters_say_the_same_in_every_tier(void **state)
{
    struct fixture *fixture = *state;
    struct events *events = start(fixture);

    EVENT(EVENT_QUEUED, field_text("msg", "AAAA"), field_text("user", "anna"),
          field_number("size", 1234), field_number("nrcpt", 3));
    tell_outcome(EVENT_DELIVERED, "AAAA", "carla@example.net", 4000);
    events_note_depth(events, 17);
    events_stop(events);
    for (unsigned tier = 0; tier < N_COUNTER_TIERS; tier++) {
        const int64_t *sums = count(fixture, COUNTER_TOTAL, "", tier);

        assert_int_equal(sums[COUNTER_ACCEPTED], 3);
        assert_int_equal(sums[COUNTER_MESSAGES], 1);
        assert_int_equal(sums[COUNTER_BYTES], 1234);
        assert_int_equal(sums[COUNTER_DELIVERED], 1);
        assert_int_equal(sums[COUNTER_SPENT + 2], 1); /* 2 to 5 s */
        assert_int_equal(sums[COUNTER_DEPTH_MAX], 17);
    }
    assert_int_equal(count(fixture, COUNTER_USER, "anna", 1)[COUNTER_ACCEPTED], 3);
    assert_int_equal(count(fixture, COUNTER_USER, "anna", 1)[COUNTER_DELIVERED], 1);
    assert_int_equal(count(fixture, COUNTER_SITE, "mx.example.net", 2)[COUNTER_DELIVERED], 1);
    assert_int_equal(count(fixture, COUNTER_SITE, "unknown", 2)[COUNTER_DELIVERED], 0);
}

static void pages_show_each_row_once(void **state)
{
    struct fixture *fixture = *state;
    struct events *events = start(fixture);
    const struct history_filter all = {0};
    struct history_cursor cursor = {.id = 0};
    unsigned n_pages = 0;

    for (int i = 0; i < 1000; i++) {
        char id[16];

        snprintf(id, sizeof(id), "M%d", i);
        tell_outcome(EVENT_DELIVERED, id, "carla@example.net", i);
    }
    events_stop(events);
    while (history_reader_list(fixture->reader, &all, 77, 10000, note_row, fixture, &cursor) == 0)
        n_pages++;
    assert_int_equal(n_pages, 1000 / 77);
    assert_int_equal(fixture->n_seen, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(fixture->seen[i].spent_ms, 999 - i);
}

static void a_log_that_shows_only_errors_hides_nothing_from_history(void **state)
{
    struct fixture *fixture = *state;
    struct events *events;

    log_set("logfmt", "error");
    events = start(fixture);
    tell_outcome(EVENT_DELIVERED, "AAAA", "carla@example.net", 1);
    events_stop(events);
    log_set("logfmt", "info");
    assert_int_equal(find(fixture, &(struct history_filter){0}), 1);
}

static unsigned n_files_like(const char *dir, const char *part)
{
    DIR *folder = opendir(dir);
    struct dirent *file;
    unsigned n = 0;

    while ((file = readdir(folder)))
        n += strstr(file->d_name, part) != NULL;
    closedir(folder);
    return n;
}

static void write_file(const char *dir, const char *name, size_t n_bytes)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    for (size_t i = 0; i < n_bytes; i++)
        (void)fputc('x', file);
    (void)fclose(file);
}

static void a_damaged_file_goes_aside_and_history_goes_on(void **state)
{
    struct fixture *fixture = *state;
    char day[HISTORY_DAY_SIZE], name[32];
    struct events *events;

    history_day_of(clock_utc_ms(), day);
    snprintf(name, sizeof(name), "%s.db", day);
    write_file(fixture->dir, name, 10000);
    write_file(fixture->dir, "counters.db", 10000);
    events = start(fixture);
    tell_outcome(EVENT_DELIVERED, "LOST", "carla@example.net", 1);
    tell_outcome(EVENT_DELIVERED, "KEPT", "carla@example.net", 1);
    events_stop(events);
    assert_int_equal(n_files_like(fixture->dir, ".db.damaged-"), 2);
    assert_int_equal(find(fixture, &(struct history_filter){.message = slice_of("KEPT")}), 1);
}

static void without_a_folder_nothing_stops(void **state)
{
    struct fixture *fixture = *state;
    struct events *events;

    rmdir(fixture->dir);
    events = start(fixture);
    for (int i = 0; i < 100; i++)
        tell_outcome(EVENT_DELIVERED, "AAAA", "carla@example.net", 1);
    events_stop(events);
    assert_int_equal(access(fixture->dir, F_OK), -1);
}

static void old_days_and_what_is_too_much_go(void **state)
{
    struct fixture *fixture = *state;
    const int64_t now_ms = 1795426800000; /* 2026-11-23 */
    char(*days)[HISTORY_DAY_SIZE] = NULL;

    write_file(fixture->dir, "2026-11-23.db", 50000);
    write_file(fixture->dir, "2026-11-22.db", 50000);
    write_file(fixture->dir, "2026-11-22.db-wal", 50000);
    write_file(fixture->dir, "2026-11-21.db", 50000);
    write_file(fixture->dir, "2026-11-02.db", 100);
    write_file(fixture->dir, "2026-11-01.db.damaged-1", 100);
    write_file(fixture->dir, "counters.db", 100);
    history_keep(&fixture->settings, now_ms, true);
    assert_int_equal(n_files_like(fixture->dir, "2026-11-01"), 0);
    assert_int_equal(n_files_like(fixture->dir, "2026-11-02"), 1);
    fixture->settings.max_bytes = 160000;
    history_keep(&fixture->settings, now_ms, true);
    assert_int_equal(history_days(fixture->dir, &days), 2);
    assert_string_equal(days[1], "2026-11-22");
    free(days);
    fixture->settings.max_bytes = 1;
    history_keep(&fixture->settings, now_ms, true);
    assert_int_equal(n_files_like(fixture->dir, "2026-11"), 1); /* today's stays */
    assert_int_equal(n_files_like(fixture->dir, "counters.db"), 1);
}

static void age_takes_one_day_a_look_and_none_by_a_clock_not_trusted(void **state)
{
    struct fixture *fixture = *state;
    const int64_t years_ahead_ms = 1795426800000 + 3650 * 86400000L;

    write_file(fixture->dir, "2026-11-23.db", 100);
    write_file(fixture->dir, "2026-11-22.db", 100);
    write_file(fixture->dir, "2026-11-21.db", 100);
    history_keep(&fixture->settings, years_ahead_ms, false);
    assert_int_equal(n_files_like(fixture->dir, "2026-11"), 3);
    history_keep(&fixture->settings, years_ahead_ms, true);
    assert_int_equal(n_files_like(fixture->dir, "2026-11"), 2);
    assert_int_equal(n_files_like(fixture->dir, "2026-11-21"), 0);
}

/* All of it is from long ago, or the clock is ahead: which, is known when it has been set. */
static void a_start_removes_nothing_for_its_age(void **state)
{
    struct fixture *fixture = *state;
    const int64_t long_ago_ms = 946684800000; /* 2000-01-01 */
    struct counters *counters;

    assert_int_equal(counters_new(&counters, fixture->dir), 0);
    counters_note_depth(counters, 17);
    assert_int_equal(counters_store(counters, long_ago_ms), 0);
    counters_free(counters);
    write_file(fixture->dir, "2000-01-01.db", 100);
    events_stop(start(fixture));
    assert_int_equal(n_files_like(fixture->dir, "2000-01-01"), 1);
    for (unsigned tier = 0; tier < N_COUNTER_TIERS; tier++)
        assert_int_equal(count(fixture, COUNTER_TOTAL, "", tier)[COUNTER_DEPTH_MAX], 17);
}

static void put_aside(const char *dir, const char *name)
{
    char from[128], to[160];

    snprintf(from, sizeof(from), "%s/%s", dir, name);
    snprintf(to, sizeof(to), "%s.damaged-1", from);
    assert_int_equal(rename(from, to), 0);
}

static void readers_see_the_file_that_has_the_name_now(void **state)
{
    struct fixture *fixture = *state;
    char day[HISTORY_DAY_SIZE], name[32];
    struct events *events = start(fixture);

    tell_outcome(EVENT_DELIVERED, "LOST", "carla@example.net", 1);
    tell_outcome(EVENT_DELIVERED, "LOST", "carla@example.net", 1);
    events_stop(events);
    history_day_of(clock_utc_ms(), day);
    snprintf(name, sizeof(name), "%s.db", day);
    assert_int_equal(find(fixture, &(struct history_filter){0}), 2);
    assert_int_equal(count(fixture, COUNTER_TOTAL, "", 3)[COUNTER_DELIVERED], 2);
    put_aside(fixture->dir, name);
    put_aside(fixture->dir, "counters.db");
    events = start(fixture);
    tell_outcome(EVENT_DELIVERED, "KEPT", "carla@example.net", 1);
    events_stop(events);
    assert_int_equal(find(fixture, &(struct history_filter){0}), 1);
    assert_int_equal(count(fixture, COUNTER_TOTAL, "", 3)[COUNTER_DELIVERED], 1);
}

/* Half of what there is would look like all of it. */
static void a_day_that_cannot_be_read_is_told_and_a_damaged_one_hides_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct history_cursor cursor = {.id = 0};
    struct events *events = start(fixture);
    char path[128];

    tell_outcome(EVENT_DELIVERED, "AAAA", "carla@example.net", 1);
    events_stop(events);
    write_file(fixture->dir, "2020-01-01.db", 10000);
    assert_int_equal(find(fixture, &(struct history_filter){0}), 1);
    snprintf(path, sizeof(path), "%s/2020-01-02.db", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(history_reader_list(fixture->reader, &(struct history_filter){0}, MOST_SEEN, 10000,
                                    note_row, fixture, &cursor) < 0);
    assert_int_equal(rmdir(path), 0);
}

static void the_last_drop_of_the_disk_is_not_for_history(void **state)
{
    struct fixture *fixture = *state;
    struct events *events;

    fixture->settings.min_free = UINT64_MAX;
    events = start(fixture);
    tell_outcome(EVENT_DELIVERED, "AAAA", "carla@example.net", 1);
    events_stop(events);
    assert_int_equal(n_files_like(fixture->dir, ".db"), 0);
}

static void *drain(void *pipe_end)
{
    char bytes[65536];

    while (read(*(int *)pipe_end, bytes, sizeof(bytes)) > 0)
        ;
    return NULL;
}

/* A pipe that nobody reads holds up the event thread: rows are lost, their number is not. */
static void what_finds_no_room_is_counted_all_the_same(void **state)
{
    enum { N_TOLD = 150000 };
    struct fixture *fixture = *state;
    struct events *events = start(fixture);
    pthread_t drainer;
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    close(pipes[1]);
    for (int i = 0; i < N_TOLD; i++)
        EVENT(EVENT_QUEUED, field_text("msg", "AAAA"), field_number("nrcpt", 2));
    assert_int_equal(pthread_create(&drainer, NULL, drain, &pipes[0]), 0);
    events_stop(events);
    dup2(fixture->stderr_before, STDERR_FILENO); /* no writer is left */
    pthread_join(drainer, NULL);
    close(pipes[0]);
    assert_int_equal(count(fixture, COUNTER_TOTAL, "", 0)[COUNTER_ACCEPTED], 2 * N_TOLD);
    assert_in_range(count(fixture, COUNTER_TOTAL, "", 0)[COUNTER_MESSAGES], 1, N_TOLD - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_became_of_mail_is_found_by_message_and_recipient),
        TEST(counters_say_the_same_in_every_tier),
        TEST(pages_show_each_row_once),
        TEST(a_log_that_shows_only_errors_hides_nothing_from_history),
        TEST(a_damaged_file_goes_aside_and_history_goes_on),
        TEST(without_a_folder_nothing_stops),
        TEST(old_days_and_what_is_too_much_go),
        TEST(age_takes_one_day_a_look_and_none_by_a_clock_not_trusted),
        TEST(a_start_removes_nothing_for_its_age),
        TEST(readers_see_the_file_that_has_the_name_now),
        TEST(a_day_that_cannot_be_read_is_told_and_a_damaged_one_hides_no_other),
        TEST(the_last_drop_of_the_disk_is_not_for_history),
        TEST(what_finds_no_room_is_counted_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
