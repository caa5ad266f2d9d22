#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/spool/queue_id.h"
#include "test/support/spool_fixture.h"

static int start(void **state)
{
    struct spool_fixture *fixture = fixture_new();

    *state = fixture;
    return fixture_start(fixture);
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static const char *path_of(struct spool_fixture *fixture, const char *name)
{
    static char path[160];

    snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    return path;
}

static void remove_database(struct spool_fixture *fixture)
{
    assert_int_equal(unlink(path_of(fixture, "queue.db")), 0);
    (void)unlink(path_of(fixture, "queue.db-wal"));
    (void)unlink(path_of(fixture, "queue.db-shm"));
}

static void overwrite(const char *path, off_t offset, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, offset), (ssize_t)length);
    close(fd);
}

static void a_lost_database_is_made_anew_from_the_segments(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t open_id = queue_id_new(), half_id = queue_id_new(), done_id = queue_id_new();
    uint64_t large_id = queue_id_new();

    assert_int_equal(fixture_append(fixture, open_id, "open\r\n", 1), 0);
    assert_int_equal(fixture_append(fixture, half_id, "half\r\n", 3), 0);
    assert_int_equal(fixture_append(fixture, done_id, "done\r\n", 1), 0);
    assert_int_equal(fixture_append_large(fixture, large_id, "large\r\n", 2), 0);
    assert_int_equal(fixture_finish(fixture, half_id, 2, NULL), 0);
    assert_int_equal(fixture_finish(fixture, done_id, 1, NULL), 0);
    fixture_stop(fixture);
    remove_database(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 3);
    assert_int_equal(fixture->n_rows, 4);
    assert_int_equal(fixture->rows[1].row.n, 1);
    assert_int_equal(fixture->rows[2].row.n, 3);
    assert_true(fixture_has(fixture, open_id, "open\r\n"));
    assert_true(fixture_has(fixture, half_id, "half\r\n"));
    assert_true(fixture_has(fixture, large_id, "large\r\nlarge\r\n"));
}

static void a_damaged_database_is_replaced_and_kept_aside(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    char junk[4096];

    memset(junk, 'x', sizeof(junk));
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    fixture_stop(fixture);
    overwrite(path_of(fixture, "queue.db"), 0, junk, sizeof(junk));
    assert_int_equal(fixture_start(fixture), 0);
    assert_true(fixture_has(fixture, id, "hello\r\n"));
    assert_int_equal(access(path_of(fixture, "queue.db.damaged"), F_OK), 0);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "next\r\n", 1), 0);
}

static void a_database_with_a_damaged_page_is_replaced(void **state)
{
    struct spool_fixture *fixture = *state;
    char junk[4096];
    uint64_t last = 0;

    memset(junk, 0xff, sizeof(junk));
    for (unsigned i = 0; i < 40; i++) {
        last = queue_id_new();
        assert_int_equal(fixture_append(fixture, last, "hello\r\n", 20), 0);
    }
    fixture_stop(fixture);
    for (off_t page = 1; page < 10; page++)
        overwrite(path_of(fixture, "queue.db"), page * 4096, junk, sizeof(junk));
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 40);
    assert_true(fixture_has(fixture, last, "hello\r\n"));
}

/* Found when half of the queue was handed over: that is taken back, and all comes once. */
static void a_database_damaged_towards_its_end_is_read_anew(void **state)
{
    enum { MESSAGES = 400, RECIPIENTS = 20 };
    struct spool_fixture *fixture = *state;
    char junk[4096];
    struct stat status;
    uint64_t before = 0, last = 0;

    memset(junk, 0xff, sizeof(junk));
    for (unsigned i = 0; i < MESSAGES; i++) {
        last = queue_id_new();
        assert_int_equal(fixture_append(fixture, last, "hello\r\n", RECIPIENTS), 0);
    }
    fixture_stop(fixture);
    assert_int_equal(stat(path_of(fixture, "queue.db"), &status), 0);
    for (off_t page = 1; page < 4; page++)
        overwrite(path_of(fixture, "queue.db"), status.st_size - page * 4096, junk, sizeof(junk));
    assert_int_equal(fixture_start(fixture), 0);
    assert_in_range(fixture->n_undone, MESSAGES / 4, MESSAGES - 1);
    assert_int_equal(fixture->n_recovered, MESSAGES);
    assert_int_equal(fixture->n_rows, MESSAGES * RECIPIENTS);
    for (uint32_t i = 0; i < fixture->n_recovered; before = fixture->recovered[i++]->id)
        assert_true(fixture->recovered[i]->id > before);
    assert_int_equal(before, last);
    for (unsigned i = 0; i < RECIPIENTS; i++)
        assert_int_equal(fixture_finish(fixture, last, i + 1, NULL), 0);
    assert_int_equal(access(path_of(fixture, "queue.db.damaged"), F_OK), 0);
}

static void damaged_records_are_passed_over_not_delivered(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t ids[3];
    struct rebuild_result result;
    struct spool_view view;

    for (unsigned i = 0; i < 3; i++) {
        ids[i] = queue_id_new();
        assert_int_equal(fixture_append(fixture, ids[i], "hello\r\n", 1), 0);
    }
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, ids[1]), &view), 0);
    spool_release(fixture->spool, &view);
    fixture_stop(fixture);
    overwrite(path_of(fixture, "segments/00000001.seg"), (off_t)view.offset + 3, "?", 1);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_messages, 2);
    assert_int_equal(result.n_damaged, 1);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 2);
    assert_true(fixture_has(fixture, ids[0], "hello\r\n"));
    assert_null(fixture_find(fixture, ids[1]));
    assert_true(fixture_has(fixture, ids[2], "hello\r\n"));
}

/* A damaged header hides one record, and the next is found by its own. */
static void a_damaged_header_does_not_hide_what_follows(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t first = queue_id_new(), second = queue_id_new();
    struct rebuild_result result;

    assert_int_equal(fixture_append(fixture, first, "hello\r\n", 1), 0);
    assert_int_equal(fixture_append(fixture, second, "hello\r\n", 1), 0);
    fixture_stop(fixture);
    overwrite(path_of(fixture, "segments/00000001.seg"), 64, "????", 4);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_messages, 1);
    assert_int_equal(fixture_start(fixture), 0);
    assert_true(fixture_has(fixture, second, "hello\r\n"));
}

static void a_segment_whose_own_header_is_damaged_is_still_read(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct rebuild_result result;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    fixture_stop(fixture);
    overwrite(path_of(fixture, "segments/00000001.seg"), 0, "????", 4);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_messages, 1);
}

/* A client may send what looks like a record; it names a place where it does not lie. */
static void records_inside_a_message_are_not_records(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct rebuild_result result;
    char body[1024], segment[1024];
    size_t n = 0;
    int fd;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    fd = open(path_of(fixture, "segments/00000001.seg"), O_RDONLY);
    assert_int_equal(pread(fd, segment, 256, 64), 256);
    close(fd);
    for (unsigned i = 0; i < 256; i++) /* no NUL in this fixture's bodies */
        body[n++] = segment[i] ? segment[i] : 1;
    body[n] = '\0';
    assert_int_equal(fixture_append(fixture, queue_id_new(), body, 1), 0);
    fixture_stop(fixture);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_messages, 2);
    assert_int_equal(result.n_damaged, 0);
}

int main(void)
{
#define REBUILD_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        REBUILD_TEST(a_lost_database_is_made_anew_from_the_segments),
        REBUILD_TEST(a_damaged_database_is_replaced_and_kept_aside),
        REBUILD_TEST(a_database_with_a_damaged_page_is_replaced),
        REBUILD_TEST(a_database_damaged_towards_its_end_is_read_anew),
        REBUILD_TEST(damaged_records_are_passed_over_not_delivered),
        REBUILD_TEST(a_damaged_header_does_not_hide_what_follows),
        REBUILD_TEST(a_segment_whose_own_header_is_damaged_is_still_read),
        REBUILD_TEST(records_inside_a_message_are_not_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
