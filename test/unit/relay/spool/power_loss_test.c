/* A power cut at every call of a short run, in every way (power_cut.h): each state must start, with
 * all mail whose receipt came before the cut, and with every mark of a final dot. */
#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/spool/marks.h"
#include "relay/spool/queue_id.h"
#include "test/support/power_cut.h"
#include "test/support/spool_fixture.h"

/* ---- the run that is recorded ---- */

static const char *const bodies[] = {"first\r\n", "long\r\nlong\r\n", "third\r\n"};
enum { N_MESSAGES = 3 };
static uint64_t ids[N_MESSAGES], old_id;

/* After it another database is in use. */
static void let_a_commit_fail(struct spool_fixture *fixture)
{
    io_shim_fail_all("sync queue.db-wal", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    io_shim_fail_all(NULL, 0);
}

static void defer(struct spool_fixture *fixture, uint64_t id)
{
    const struct spool_change open = {
        .kind = CHANGE_OPEN, .n = 1, .host = SLICE_LITERAL("mx.example.net"), .tried_utc_ms = 1};
    const struct spool_change later = {
        .kind = CHANGE_ROW, .n = 1, .state = RECIPIENT_DEFERRED, .attempts = 1, .next_utc_ms = 1};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &open, .n_changes = 1};

    assert_int_equal(fixture_update(fixture, &update), 0);
    io_shim_note("marked");
    update.changes = &later;
    assert_int_equal(fixture_update(fixture, &update), 0);
    io_shim_note("deferred");
}

static bool opens_at_once(void *owner, const struct envelope *envelope)
{
    (void)owner;
    return envelope->n_recipients == 1;
}

/* What a start finds is sealed, and a sealed segment with little in it is compacted at once. */
static void leave_one_behind(struct spool_fixture *fixture)
{
    old_id = queue_id_new();
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, old_id, "old\r\n", 1), 0);
    io_shim_note("old");
    fixture_stop(fixture);
}

static void record_run(struct spool_fixture *fixture, bool has_failure)
{
    const uint32_t first = 1;
    char note[32];

    leave_one_behind(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        if (has_failure && i == 1)
            let_a_commit_fail(fixture);
        ids[i] = queue_id_new();
        if (i == 1)
            assert_int_equal(fixture_append_large(fixture, ids[i], "long\r\n", 2), 0);
        else
            assert_int_equal(fixture_append(fixture, ids[i], bodies[i], 1), 0);
        snprintf(note, sizeof(note), "receipt %u", i);
        io_shim_note(note);
    }
    defer(fixture, ids[2]);
    /* The long one was born open and is never tried, the first is taken by its receiver. */
    (void)spool_mark(fixture->spool, fixture_find(fixture, ids[0]), &first, 1, MARK_SENT);
    (void)spool_mark(fixture->spool, fixture_find(fixture, ids[0]), &first, 1, MARK_DELIVERED);
    assert_int_equal(fixture_finish(fixture, ids[0], 1, NULL), 0);
    io_shim_note("finished");
}

/* ---- checking one state ---- */

struct expectation {
    bool is_accepted[N_MESSAGES], has_old;
    bool is_marked, is_deferred; /* the last */
    bool is_end_asked, is_ended; /* of the first */
};

static struct expectation expect(const struct io_call *calls, size_t n)
{
    struct expectation expected = {0};

    for (size_t i = 0; i < n; i++) {
        if (calls[i].kind != IO_NOTE)
            continue;
        if (strncmp(calls[i].path, "receipt", 7) == 0)
            expected.is_accepted[strtoul(calls[i].path + 8, NULL, 10)] = true;
        expected.has_old |= strcmp(calls[i].path, "old") == 0;
        expected.is_marked |= strcmp(calls[i].path, "marked") == 0;
        expected.is_deferred |= strcmp(calls[i].path, "deferred") == 0;
        expected.is_ended |= strcmp(calls[i].path, "finished") == 0;
    }
    expected.is_end_asked = expected.is_deferred;
    return expected;
}

/* A mark that was answered before the cut is found as doubt; an answer takes it away. */
static void check_last(const struct spool_fixture *fixture, const struct expectation *expected,
                       size_t n)
{
    for (uint32_t i = 0; i < fixture->n_rows && expected->is_marked; i++) {
        const struct recipient_row *row = &fixture->rows[i].row;
        bool is_deferred = row->state == RECIPIENT_DEFERRED && row->attempts == 1 && !row->flags;

        if (fixture->rows[i].id == ids[2] && !is_deferred &&
            (expected->is_deferred || row->flags != RECIPIENT_DOUBTFUL))
            fail_msg("cut after call %zu: the journal forgot a final dot", n);
    }
}

/* Marks may be lost, so they prove nothing in another run of the kernel; what is there is true. */
static void check_marks(const struct spool_fixture *fixture, size_t n)
{
    for (uint32_t i = 0; i < fixture->n_rows; i++) {
        const struct fixture_row *row = &fixture->rows[i];

        if (row->id == ids[1] && row->row.flags != RECIPIENT_DOUBTFUL)
            fail_msg("cut after call %zu: a lost mark was believed", n);
        if (row->id != ids[0] && (row->row.flags & RECIPIENT_DELIVERED))
            fail_msg("cut after call %zu: delivered, by whom?", n);
    }
}

static void check(struct spool_fixture *fixture, const struct expectation *expected, size_t n,
                  enum loss loss)
{
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        bool must_be_there = expected->is_accepted[i] && !(i == 0 && expected->is_end_asked);
        bool is_known = fixture_find(fixture, ids[i]) != NULL;

        if (must_be_there && !fixture_has(fixture, ids[i], bodies[i]))
            fail_msg("cut after call %zu (loss %d): message %u is lost", n, (int)loss, i);
        /* What has a row has its bytes, promised or not. */
        if (is_known && !fixture_has(fixture, ids[i], bodies[i]))
            fail_msg("cut after call %zu (loss %d): message %u lacks its bytes", n, (int)loss, i);
        if (i == 0 && expected->is_ended && is_known)
            fail_msg("cut after call %zu (loss %d): a finished message came back", n, (int)loss);
    }
    if (expected->has_old && !fixture_has(fixture, old_id, "old\r\n"))
        fail_msg("cut after call %zu (loss %d): the message being moved is lost", n, (int)loss);
    check_last(fixture, expected, n);
    check_marks(fixture, n);
}

static void try_state(const struct io_call *calls, size_t n, enum loss loss)
{
    struct spool_fixture *fixture = fixture_new();
    struct expectation expected = expect(calls, n);
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/large", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/segments", fixture->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    power_cut_build(fixture->dir, calls, n, loss);
    fixture->settings.boot = 2;
    if (fixture_start(fixture))
        fail_msg("cut after call %zu (loss %d): start is refused", n, (int)loss);
    check(fixture, &expected, n, loss);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "next\r\n", 1), 0);
    fixture_free(fixture);
}

static void cut_everywhere(bool has_failure)
{
    struct spool_fixture *fixture = fixture_new();
    const struct io_call *calls;
    size_t n_calls;

    fixture_use_shim(fixture);
    fixture->settings.segment_bytes = 1 << 16;
    fixture->settings.boot = 1;
    fixture->settings.callbacks.opens_at_once = opens_at_once;
    io_shim_record();
    record_run(fixture, has_failure);
    calls = io_shim_calls(&n_calls);
    assert_true(n_calls > 40);
    power_cut_everywhere(calls, n_calls, try_state);
    fixture_free(fixture);
}

static void no_power_cut_loses_an_accepted_message(void **state)
{
    (void)state;
    cut_everywhere(false);
}

static void no_power_cut_while_the_database_is_replaced_loses_one(void **state)
{
    (void)state;
    cut_everywhere(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_power_cut_loses_an_accepted_message),
        cmocka_unit_test(no_power_cut_while_the_database_is_replaced_loses_one),
    };

    /* A thousand folders are made: in memory, where there is some.  What is synced is in the
     * record, not in the disk's hands. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
