/* The journal of final dots: what is marked is durable before it is answered, goes with the
 * verdict, and what a start finds is told once, settled by its owner and stored so. */
#include "test/support/test_support.h"

#include <errno.h>

#include "relay/spool/marks.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool_reader.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

enum { MOST_ASKED = 16 };

static struct asked {
    uint64_t id;
    uint32_t n;
    char host[64];
    int64_t tried_utc_ms;
} asked[MOST_ASKED];
static unsigned n_asked;
static bool is_eager;

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    (void)owner, (void)envelope;
    return is_eager;
}

/* The operator wants to be asked about each. */
static void hold(void *owner, const struct stored *stored, struct recipient_row *row)
{
    (void)owner;
    assert_true(n_asked < MOST_ASKED);
    asked[n_asked] =
        (struct asked){.id = stored->id, .n = row->n, .tried_utc_ms = row->tried_utc_ms};
    slice_copy_to(row->host, asked[n_asked].host, sizeof(asked[n_asked].host));
    n_asked++;
    row->state = RECIPIENT_HELD;
    row->reply = SLICE_LITERAL("in doubt");
}

static struct spool_fixture *new_fixture(void)
{
    struct spool_fixture *fixture = fixture_new_on_shim();

    n_asked = 0;
    is_eager = false;
    fixture->settings.callbacks.opens_at_once = opens_at_once;
    fixture->settings.callbacks.settle_doubt = hold;
    assert_int_equal(fixture_start(fixture), 0);
    return fixture;
}

static void open_recipients(struct spool_fixture *fixture, uint64_t id, const uint32_t *ns,
                            uint32_t n_ns)
{
    struct spool_change changes[8] = {0};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = changes, .n_changes = n_ns};

    for (uint32_t i = 0; i < n_ns; i++)
        changes[i] = (struct spool_change){.kind = CHANGE_OPEN,
                                           .n = ns[i],
                                           .host = SLICE_LITERAL("mx.example.net"),
                                           .tried_utc_ms = 1234567890123};
    assert_int_equal(fixture_update(fixture, &update), 0);
}

static void change_row(struct spool_fixture *fixture, uint64_t id, uint32_t n,
                       enum recipient_state state)
{
    const struct spool_change change = {
        .kind = CHANGE_ROW, .n = n, .state = state, .attempts = 1, .next_utc_ms = 1};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &change, .n_changes = 1};

    assert_int_equal(fixture_update(fixture, &update), 0);
}

static void restart(struct spool_fixture *fixture)
{
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
}

static const struct fixture_row *row_of(const struct spool_fixture *fixture, uint64_t id,
                                        uint32_t n)
{
    for (uint32_t i = 0; i < fixture->n_rows; i++) {
        if (fixture->rows[i].id == id && fixture->rows[i].row.n == n)
            return &fixture->rows[i];
    }
    fail_msg("no row %u", n);
    return NULL;
}

static void a_start_names_exactly_those_whose_dot_may_have_left(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = queue_id_new();
    static const uint32_t of_transaction[] = {2, 3, 5, 6, 7};
    static const uint32_t still_open[] = {3, 6, 7};

    (void)state;
    assert_int_equal(fixture_append(fixture, queue_id_new(), "other\r\n", 2), 0);
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 8), 0);
    open_recipients(fixture, id, of_transaction, 5);
    assert_int_equal(fixture_finish(fixture, id, 2, NULL), 0);
    change_row(fixture, id, 5, RECIPIENT_DEFERRED);
    restart(fixture);
    assert_int_equal(n_asked, 3);
    for (unsigned i = 0; i < sizeof(still_open) / sizeof(still_open[0]); i++) {
        assert_int_equal(asked[i].id, id);
        assert_int_equal(asked[i].n, still_open[i]);
        assert_string_equal(asked[i].host, "mx.example.net");
        assert_int_equal(asked[i].tried_utc_ms, 1234567890123);
    }
    assert_int_equal(row_of(fixture, id, 5)->row.flags, 0);
    assert_int_equal(row_of(fixture, id, 6)->row.flags, RECIPIENT_DOUBTFUL);
    fixture_free(fixture);
}

static bool look(void *owner, const struct message_row *message)
{
    const struct recipient_row *row = &message->recipients[0];

    assert_int_equal(row->state, RECIPIENT_HELD);
    assert_int_equal(row->flags, RECIPIENT_DOUBTFUL);
    assert_true(slice_equal(row->reply, SLICE_LITERAL("in doubt")));
    assert_true(slice_equal(row->host, SLICE_LITERAL("mx.example.net")));
    *(bool *)owner = true;
    return true;
}

static void what_was_decided_is_stored_and_not_asked_again(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    struct spool_reader *reader;
    struct queue_filter filter = {0};
    uint64_t id = queue_id_new(), cursor;
    uint32_t n = 1;
    bool is_seen = false;

    (void)state;
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    open_recipients(fixture, id, &n, 1);
    restart(fixture);
    assert_int_equal(n_asked, 1);
    restart(fixture);
    assert_int_equal(n_asked, 1);
    assert_int_equal(row_of(fixture, id, 1)->row.state, RECIPIENT_HELD);
    assert_int_equal(spool_reader_new(&reader, fixture->dir), 0);
    assert_int_equal(spool_reader_list(reader, &filter, 10, 10, look, &is_seen, &cursor), 0);
    assert_true(is_seen);
    spool_reader_free(reader);
    fixture_free(fixture);
}

static void what_could_not_be_stored_is_found_by_the_next_start(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = queue_id_new();
    uint32_t n = 1;

    (void)state;
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    open_recipients(fixture, id, &n, 1);
    fixture_stop(fixture);
    io_shim_fail_all("write queue.db-wal", EIO);
    assert_int_equal(fixture_start(fixture), 0);
    io_shim_fail_all(NULL, 0);
    assert_int_equal(row_of(fixture, id, 1)->row.state, RECIPIENT_HELD); /* in memory, at once */
    restart(fixture);
    assert_int_equal(n_asked, 2);
    restart(fixture);
    assert_int_equal(n_asked, 2);
    fixture_free(fixture);
}

static void a_mark_made_at_arrival_costs_no_sync_of_its_own(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    const uint32_t second = 2;
    uint64_t id = queue_id_new();

    (void)state;
    assert_int_equal(fixture_append(fixture, queue_id_new(), "first\r\n", 1), 0);
    io_shim_record();
    is_eager = true;
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 2), 0);
    assert_int_equal(io_shim_n_syncs(), 2); /* bytes, rows: as without */
    assert_true(fixture_find(fixture, id)->is_open);
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    assert_true(spool_mark(fixture->spool, fixture_find(fixture, id), &second, 1, MARK_SENT));
    restart(fixture);
    assert_int_equal(n_asked, 1);
    assert_int_equal(asked[0].n, 2);
    assert_int_not_equal(asked[0].tried_utc_ms, 0); /* when it came */
    fixture_free(fixture);
}

static void a_mark_is_synced_before_it_is_answered(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    const struct io_call *calls;
    uint64_t id = queue_id_new();
    uint32_t n = 1;
    size_t n_calls, i;

    (void)state;
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    io_shim_record();
    open_recipients(fixture, id, &n, 1);
    io_shim_note("the dot leaves");
    calls = io_shim_calls(&n_calls);
    for (i = 0; i < n_calls && calls[i].kind != IO_SYNC; i++)
        assert_int_not_equal(calls[i].kind, IO_NOTE);
    assert_true(i < n_calls);
    assert_string_equal(calls[i].path, "queue.db-wal");
    assert_int_equal(io_shim_n_syncs(), 1);
    fixture_free(fixture);
}

static void marks_move_into_the_database_that_takes_a_failed_ones_place(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = queue_id_new();
    uint32_t n = 1;

    (void)state;
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 2), 0);
    open_recipients(fixture, id, &n, 1);
    io_shim_fail_all("sync queue.db-wal", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    io_shim_fail_all(NULL, 0);
    restart(fixture);
    assert_int_equal(n_asked, 1);
    assert_string_equal(asked[0].host, "mx.example.net");
    assert_int_equal(asked[0].tried_utc_ms, 1234567890123);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_names_exactly_those_whose_dot_may_have_left),
        cmocka_unit_test(what_was_decided_is_stored_and_not_asked_again),
        cmocka_unit_test(what_could_not_be_stored_is_found_by_the_next_start),
        cmocka_unit_test(a_mark_made_at_arrival_costs_no_sync_of_its_own),
        cmocka_unit_test(a_mark_is_synced_before_it_is_answered),
        cmocka_unit_test(marks_move_into_the_database_that_takes_a_failed_ones_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
