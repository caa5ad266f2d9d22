/* Marks in records: a start believes what a kill -9 cannot take back, of rows in doubt and of no
 * others, wherever compaction has put them; after a power cut what is missing means nothing. */
#include "test/support/test_support.h"

#include <errno.h>

#include "relay/spool/marks.h"
#include "relay/spool/queue_id.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

static unsigned n_asked;

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    (void)owner;
    return envelope->n_recipients == 1;
}

static void count(void *owner, const struct stored *stored, struct recipient_row *row)
{
    (void)owner, (void)stored, (void)row;
    n_asked++;
}

static struct spool_fixture *new_fixture(void)
{
    struct spool_fixture *fixture = fixture_new_on_shim();

    n_asked = 0;
    fixture->settings.boot = 1;
    fixture->settings.callbacks.opens_at_once = opens_at_once;
    fixture->settings.callbacks.settle_doubt = count;
    assert_int_equal(fixture_start(fixture), 0);
    return fixture;
}

static void restart(struct spool_fixture *fixture)
{
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
}

static uint64_t append(struct spool_fixture *fixture, uint32_t n_recipients)
{
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", n_recipients), 0);
    return id;
}

static void open_row(struct spool_fixture *fixture, uint64_t id, uint32_t n)
{
    const struct spool_change change = {
        .kind = CHANGE_OPEN, .n = n, .host = SLICE_LITERAL("mx.example.net"), .tried_utc_ms = 5};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &change, .n_changes = 1};

    assert_int_equal(fixture_update(fixture, &update), 0);
}

static bool mark(struct spool_fixture *fixture, uint64_t id, uint32_t n, enum recipient_mark how)
{
    return spool_mark(fixture->spool, fixture_find(fixture, id), &n, 1, how);
}

static uint32_t flags_of(const struct spool_fixture *fixture, uint64_t id, uint32_t n)
{
    for (uint32_t i = 0; i < fixture->n_rows; i++)
        if (fixture->rows[i].id == id && fixture->rows[i].row.n == n)
            return fixture->rows[i].row.flags;
    fail_msg("no row %u", n);
    return 0;
}

enum { FOUND_DELIVERED = RECIPIENT_OPEN | RECIPIENT_DELIVERED };

static void who_was_delivered_is_found_until_it_is_finished(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 600), large = queue_id_new();
    uint32_t many[] = {2, 3, 4, 7, 599, 600};

    (void)state;
    assert_int_equal(fixture_append_large(fixture, large, "long\r\n", 3), 0);
    for (unsigned i = 0; i < 6; i++)
        open_row(fixture, id, many[i]);
    open_row(fixture, id, 5);
    assert_true(spool_mark(fixture->spool, fixture_find(fixture, id), many, 6, MARK_DELIVERED));
    assert_true(mark(fixture, large, 1, MARK_DELIVERED));
    for (unsigned starts = 0; starts < 2; starts++) {
        restart(fixture);
        assert_int_equal(n_asked, 1); /* about 5, once */
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(flags_of(fixture, id, many[i]), FOUND_DELIVERED);
        assert_int_equal(flags_of(fixture, id, 5), RECIPIENT_DOUBTFUL);
        assert_int_equal(flags_of(fixture, id, 6), 0);
        assert_int_equal(flags_of(fixture, large, 1), FOUND_DELIVERED);
        assert_true(fixture_has(fixture, id, "hello\r\n"));
    }
    assert_int_equal(fixture_finish(fixture, id, 3, NULL), 0);
    restart(fixture);
    assert_int_equal(fixture->n_rows, 600);
    fixture_free(fixture);
}

static void only_rows_in_doubt_are_looked_at(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 2);

    (void)state;
    assert_true(mark(fixture, id, 1, MARK_DELIVERED));
    restart(fixture);
    assert_int_equal(flags_of(fixture, id, 1), 0);
    assert_int_equal(n_asked, 0);
    fixture_free(fixture);
}

/* Marked at the arrival: who was never tried is in doubt only where marks may have been lost. */
static void mail_that_was_never_tried_is_not_in_doubt_after_a_kill(void **state)
{
    static const struct {
        int64_t next_boot;
        enum recipient_mark mark;
        uint32_t flags;
    } cases[] = {
        {1, MARK_NONE,      0                 },
        {1, MARK_SENT,      RECIPIENT_DOUBTFUL},
        {1, MARK_DELIVERED, FOUND_DELIVERED   },
        {2, MARK_NONE,      RECIPIENT_DOUBTFUL},
        {2, MARK_SENT,      RECIPIENT_DOUBTFUL},
        {2, MARK_DELIVERED, FOUND_DELIVERED   },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct spool_fixture *fixture = new_fixture();
        uint64_t id = append(fixture, 1);
        unsigned n_expected = cases[i].flags == RECIPIENT_DOUBTFUL;

        if (cases[i].mark)
            assert_true(mark(fixture, id, 1, cases[i].mark));
        fixture_stop(fixture);
        fixture->settings.boot = cases[i].next_boot;
        assert_int_equal(fixture_start(fixture), 0);
        assert_int_equal(flags_of(fixture, id, 1), cases[i].flags);
        assert_int_equal(n_asked, n_expected);
        if (cases[i].flags != FOUND_DELIVERED) {
            restart(fixture); /* settled: what follows is not asked about again */
            assert_int_equal(flags_of(fixture, id, 1), cases[i].flags);
            assert_int_equal(n_asked, n_expected);
        }
        fixture_free(fixture);
    }
}

/* Without the new one stored, the next start must not take this run of the kernel for the old. */
static void a_start_that_could_not_store_trusts_no_mark_the_next_time(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 1);

    (void)state;
    fixture_stop(fixture);
    fixture->settings.boot = 2;
    io_shim_fail_all("write queue.db-wal", EIO);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(n_asked, 1);
    io_shim_fail_all(NULL, 0);
    restart(fixture);
    assert_int_equal(n_asked, 2);
    assert_int_equal(flags_of(fixture, id, 1), RECIPIENT_DOUBTFUL);
    fixture_free(fixture);
}

/* What a failed sync or COMMIT has taken out of the page cache, nobody can tell. */
static void after_a_failure_of_the_disk_no_missing_mark_is_believed(void **state)
{
    static const char *const failing[] = {"sync segments/", "write segments/", "sync queue.db-wal",
                                          "write queue.db-wal"};

    (void)state;
    for (unsigned i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
        struct spool_fixture *fixture = new_fixture();
        uint64_t id = append(fixture, 1);

        io_shim_fail_next(failing[i], EIO);
        assert_true(fixture_append(fixture, queue_id_new(), "refused\r\n", 1) != 0);
        append(fixture, 2); /* its group says that marks are not to be trusted */
        restart(fixture);
        assert_int_equal(flags_of(fixture, id, 1), RECIPIENT_DOUBTFUL);
        assert_int_equal(n_asked, 1);
        id = append(fixture, 1); /* of a run without failures */
        restart(fixture);
        assert_int_equal(flags_of(fixture, id, 1), 0);
        assert_int_equal(n_asked, 1);
        fixture_free(fixture);
    }
}

static atomic_uint n_reads;

static int64_t count_read(int fd, void *out, size_t length, uint64_t offset)
{
    atomic_fetch_add(&n_reads, 1);
    return io_system.read(fd, out, length, offset);
}

static void a_start_looks_at_the_marks_of_a_message_once(void **state)
{
    struct spool_fixture *fixture = fixture_new();
    struct io io = io_system;
    unsigned n_of_one = 0;

    (void)state;
    io.read = count_read;
    fixture->settings.io = &io;
    assert_int_equal(fixture_start(fixture), 0);
    for (unsigned n = 1; n <= 20; n += 19) {
        uint64_t id = append(fixture, n);

        for (uint32_t i = 1; i <= n; i++)
            open_row(fixture, id, i);
        atomic_store(&n_reads, 0);
        restart(fixture);
        assert_int_equal(flags_of(fixture, id, n), RECIPIENT_DOUBTFUL);
        if (n == 1)
            n_of_one = atomic_load(&n_reads);
    }
    /* No row of the first message is open any more, and it lies in a segment of its own. */
    assert_true(atomic_load(&n_reads) <= n_of_one + 4);
    fixture_free(fixture);
}

/* The message is alone in a sealed segment: the next start moves it at once. */
static void a_mark_made_while_its_message_is_moved_goes_along(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 1), place;
    struct stored *stored;

    (void)state;
    fixture_stop(fixture);
    io_shim_hold("sync segments/"); /* copied, and not yet at its new place */
    assert_int_equal(fixture_start(fixture), 0);
    io_shim_wait_held();
    stored = fixture_find(fixture, id);
    place = atomic_load(&stored->place);
    assert_true(mark(fixture, id, 1, MARK_DELIVERED));
    assert_true(atomic_load(&stored->place) == place);
    io_shim_hold(NULL);
    open_row(fixture, id, 1); /* the group behind it */
    assert_true(atomic_load(&stored->place) != place);
    n_asked = 0;
    fixture_stop(fixture);
    io_shim_hold("sync segments/"); /* nothing moves again */
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(flags_of(fixture, id, 1), FOUND_DELIVERED);
    assert_int_equal(n_asked, 0);
    io_shim_hold(NULL);
    fixture_free(fixture);
}

/* A first attempt may begin while it is copied, so of a copy nobody says that it was never tried.
 */
static void a_copy_of_what_was_never_tried_is_in_doubt_after_a_kill(void **state)
{
    static char body[40001];
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 1), other;
    uint64_t place = atomic_load(&fixture_find(fixture, id)->place);

    (void)state;
    memset(body, 'x', sizeof(body) - 1);
    for (unsigned i = 0; i < 200 && atomic_load(&fixture_find(fixture, id)->place) == place; i++) {
        other = queue_id_new();
        assert_int_equal(fixture_append(fixture, other, body, 1), 0);
        assert_int_equal(fixture_finish(fixture, other, 1, NULL), 0);
    }
    assert_true(atomic_load(&fixture_find(fixture, id)->place) != place);
    restart(fixture);
    assert_int_equal(flags_of(fixture, id, 1), RECIPIENT_DOUBTFUL);
    assert_int_equal(n_asked, 1);
    fixture_free(fixture);
}

static void a_mark_that_could_not_be_written_is_not_claimed(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    uint64_t id = append(fixture, 1);
    uint32_t n = 1;

    (void)state;
    io_shim_fail_next("write segments/", EIO);
    assert_false(mark(fixture, id, 1, MARK_DELIVERED));
    io_shim_fail_next("write segments/", ENOSPC);
    assert_false(mark(fixture, id, 1, MARK_DELIVERED));
    assert_true(mark(fixture, id, 1, MARK_DELIVERED));
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    assert_false(spool_mark(fixture->spool, fixture_find(fixture, id), &n, 1, MARK_DELIVERED));
    fixture_free(fixture);
}

static void a_rebuild_sends_nothing_again_that_was_marked_delivered(void **state)
{
    struct spool_fixture *fixture = new_fixture();
    struct rebuild_result result;
    uint64_t id = append(fixture, 3);

    (void)state;
    assert_true(mark(fixture, id, 1, MARK_SENT));
    assert_true(mark(fixture, id, 2, MARK_DELIVERED));
    fixture_stop(fixture);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_recipients, 2);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(flags_of(fixture, id, 1), 0);
    assert_int_equal(flags_of(fixture, id, 3), 0);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_delivered_is_found_until_it_is_finished),
        cmocka_unit_test(only_rows_in_doubt_are_looked_at),
        cmocka_unit_test(mail_that_was_never_tried_is_not_in_doubt_after_a_kill),
        cmocka_unit_test(a_start_that_could_not_store_trusts_no_mark_the_next_time),
        cmocka_unit_test(after_a_failure_of_the_disk_no_missing_mark_is_believed),
        cmocka_unit_test(a_start_looks_at_the_marks_of_a_message_once),
        cmocka_unit_test(a_mark_made_while_its_message_is_moved_goes_along),
        cmocka_unit_test(a_copy_of_what_was_never_tried_is_in_doubt_after_a_kill),
        cmocka_unit_test(a_mark_that_could_not_be_written_is_not_claimed),
        cmocka_unit_test(a_rebuild_sends_nothing_again_that_was_marked_delivered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
