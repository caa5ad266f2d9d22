#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/spool/queue_id.h"
#include "relay/spool/spool_reader.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

enum { N_MESSAGES = 30 };

struct seen {
    uint64_t ids[N_MESSAGES + 2];
    uint32_t n_ids, n_rows;
};

static struct spool_fixture *fixture;
static struct spool_reader *reader;
static uint64_t ids[N_MESSAGES];

static int set_up(void **state)
{
    (void)state;
    fixture = fixture_new();
    if (fixture_start(fixture) || spool_reader_new(&reader, fixture->dir))
        return -1;
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        ids[i] = queue_id_new();
        if (fixture_append(fixture, ids[i], i < 10 ? "a long one\r\n" : "short\r\n", 1 + i % 2))
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reader = spool_reader_free(reader);
    fixture_free(fixture);
    return 0;
}

static bool on_row(void *owner, const struct message_row *row)
{
    struct seen *seen = owner;

    seen->ids[seen->n_ids++] = row->id;
    seen->n_rows += row->n_rows;
    assert_slice_is(row->sender, "news@example.org");
    assert_slice_is(row->user, "news");
    assert_true(row->recipients[0].address.len > 0);
    return true;
}

static struct seen list(const struct queue_filter *filter, uint32_t limit)
{
    struct seen seen = {0};
    uint64_t cursor;

    assert_int_equal(spool_reader_list(reader, filter, limit, 1000, on_row, &seen, &cursor), 0);
    return seen;
}

static void slices_follow_one_another_by_cursor(void **state)
{
    struct queue_filter filter = {0};
    struct seen seen = {0};
    uint64_t cursor = 1;
    unsigned n_slices = 0;

    (void)state;
    for (; cursor; n_slices++) {
        assert_int_equal(spool_reader_list(reader, &filter, 7, 1000, on_row, &seen, &cursor), 0);
        filter.after_id = cursor;
    }
    assert_int_equal(n_slices, 5);
    assert_int_equal(seen.n_ids, N_MESSAGES);
    assert_memory_equal(seen.ids, ids, sizeof(ids));
    assert_int_equal(seen.n_rows, N_MESSAGES + N_MESSAGES / 2);
}

static void a_slice_scans_no_more_than_it_may(void **state)
{
    const struct queue_filter filter = {.user = SLICE_LITERAL("nobody")};
    struct seen seen = {0};
    uint64_t cursor;

    (void)state;
    assert_int_equal(spool_reader_list(reader, &filter, 10, 12, on_row, &seen, &cursor), 0);
    assert_int_equal(seen.n_ids, 0);
    assert_true(cursor == ids[11]);
}

static void filters_choose_messages_and_recipients(void **state)
{
    const struct {
        struct queue_filter filter;
        uint32_t n_ids, n_rows;
    } cases[] = {
        {{.user = SLICE_LITERAL("news")},                   30, 45},
        {{.user = SLICE_LITERAL("new")},                    0,  0 },
        {{.sender = SLICE_LITERAL("EXAMPLE.ORG")},          30, 45},
        {{.sender = SLICE_LITERAL("news@example.org")},     30, 45},
        {{.sender = SLICE_LITERAL("example.net")},          0,  0 },
        {{.recipient = SLICE_LITERAL("example.net")},       30, 45},
        {{.recipient = SLICE_LITERAL("user2@example.net")}, 15, 15},
        {{.recipient = SLICE_LITERAL("ample.net")},         0,  0 },
        {{.has_state = true, .state = RECIPIENT_QUEUED},    30, 45},
        {{.has_state = true, .state = RECIPIENT_HELD},      0,  0 },
        {{.larger_than = 24},                               10, 15},
        {{.older_than_utc_ms = 1},                          0,  0 },
        {{.older_than_utc_ms = INT64_MAX},                  30, 45},
        {{.id = ids[3]},                                    1,  2 },
        {{.id = 5},                                         0,  0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen seen = list(&cases[i].filter, 1000);

        assert_int_equal(seen.n_ids, cases[i].n_ids);
        assert_int_equal(seen.n_rows, cases[i].n_rows);
    }
}

static void a_changed_row_is_seen_at_once(void **state)
{
    const struct queue_filter deferred = {.has_state = true, .state = RECIPIENT_DEFERRED};
    const struct spool_change change = {
        .kind = CHANGE_ROW, .n = 1, .state = RECIPIENT_DEFERRED, .reply = SLICE_LITERAL("451 x")};
    struct spool_update update = {
        .stored = fixture_find(fixture, ids[4]), .changes = &change, .n_changes = 1};

    (void)state;
    assert_int_equal(list(&deferred, 10).n_ids, 0);
    assert_int_equal(fixture_update(fixture, &update), 0);
    assert_int_equal(list(&deferred, 10).n_ids, 1);
    assert_int_equal(fixture_finish(fixture, ids[4], 1, NULL), 0);
    assert_int_equal(list(&deferred, 10).n_ids, 0);
}

static void the_reader_follows_to_another_database(void **state)
{
    const struct queue_filter filter = {0};
    unsigned n_accepted = 0;
    char path[128];

    (void)state;
    fixture_stop(fixture);
    fixture_use_shim(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(list(&filter, 1000).n_ids, N_MESSAGES);
    io_shim_fail_all("sync queue.db-wal", EIO); /* meets this message, or compaction before it */
    n_accepted += fixture_append(fixture, queue_id_new(), "refused?\r\n", 1) == 0;
    n_accepted += fixture_append(fixture, queue_id_new(), "new\r\n", 1) == 0;
    snprintf(path, sizeof(path), "%s/queue.current", fixture->dir);
    assert_int_equal(access(path, F_OK), 0);
    assert_true(n_accepted > 0);
    assert_int_equal(list(&filter, 1000).n_ids, N_MESSAGES + n_accepted);
}

static void the_bytes_of_a_message_are_read_while_it_waits(void **state)
{
    CLEANUP(buffer) struct buffer bytes = BUFFER_INIT, start = BUFFER_INIT;
    uint64_t large = queue_id_new();
    uint32_t header_bytes = 0;
    bool is_finished = false;

    (void)state;
    assert_int_equal(spool_reader_bytes(reader, ids[0], UINT64_MAX, &bytes, &header_bytes), 0);
    assert_true(header_bytes > 0 && header_bytes < bytes.len);
    assert_slice_is(slice_skip(buffer_slice(&bytes), header_bytes), "a long one\r\n");
    assert_int_equal(spool_reader_bytes(reader, ids[0], 7, &start, &header_bytes), 0);
    assert_true(slice_equal(buffer_slice(&start), slice_head(buffer_slice(&bytes), 7)));
    assert_int_equal(fixture_append_large(fixture, large, "0123456789\r\n", 20000), 0);
    buffer_clear(&bytes);
    assert_int_equal(spool_reader_bytes(reader, large, UINT64_MAX, &bytes, &header_bytes), 0);
    assert_true(bytes.len == header_bytes + 20000 * 12);
    assert_int_equal(fixture_finish(fixture, large, 1, &is_finished), 0);
    buffer_clear(&bytes);
    assert_int_equal(spool_reader_bytes(reader, large, UINT64_MAX, &bytes, &header_bytes), -ENOENT);
    assert_int_equal(spool_reader_bytes(reader, 1, UINT64_MAX, &bytes, &header_bytes), -ENOENT);
    assert_int_equal(bytes.len, 0);
}

int main(void)
{
#define READER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        READER_TEST(slices_follow_one_another_by_cursor),
        READER_TEST(a_slice_scans_no_more_than_it_may),
        READER_TEST(filters_choose_messages_and_recipients),
        READER_TEST(a_changed_row_is_seen_at_once),
        READER_TEST(the_bytes_of_a_message_are_read_while_it_waits),
        READER_TEST(the_reader_follows_to_another_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
