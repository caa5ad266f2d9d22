/* Calls that fail: the n-th of a run, for every n, and those that go on failing. */
#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/spool/marks.h"
#include "relay/spool/queue_id.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

/* ---- the n-th call fails ---- */

enum { N_MESSAGES = 3 };

struct run {
    uint64_t old_id; /* of the run before: compaction moves it */
    uint64_t ids[N_MESSAGES];
    bool is_accepted[N_MESSAGES];
    bool is_finished; /* the first message's verdict was acknowledged */
    bool is_deferred; /* the last one's, after the mark of its final dot */
};

static bool is_refusal(int result)
{
    return result == -EIO || result == -ENOSPC || result == -EMFILE;
}

/* A retry: its final dot is marked, the answer puts it off. */
static void defer(struct spool_fixture *fixture, uint64_t id)
{
    const struct spool_change open = {
        .kind = CHANGE_OPEN, .n = 1, .host = SLICE_LITERAL("mx.example.net"), .tried_utc_ms = 1};
    const struct spool_change later = {.kind = CHANGE_ROW,
                                       .n = 1,
                                       .state = RECIPIENT_DEFERRED,
                                       .attempts = 1,
                                       .next_utc_ms = 1,
                                       .reply = SLICE_LITERAL("450 4.2.0 later")};
    struct spool_update update = {
        .stored = fixture_find(fixture, id), .changes = &open, .n_changes = 1};

    assert_int_equal(fixture_update(fixture, &update), 0);
    update.changes = &later;
    assert_int_equal(fixture_update(fixture, &update), 0);
}

/* Three messages, the second long, a retry of the last, and a verdict on the first. */
static void run_messages(struct spool_fixture *fixture, struct run *run)
{
    const uint32_t first = 1;

    for (unsigned i = 0; i < N_MESSAGES; i++) {
        int result;

        run->ids[i] = queue_id_new();
        result = i == 1 ? fixture_append_large(fixture, run->ids[i], "long\r\n", 1)
                        : fixture_append(fixture, run->ids[i], "short\r\n", 1);
        run->is_accepted[i] = result == 0;
        if (result && !is_refusal(result))
            fail_msg("message %u: result %d", i, result);
    }
    if (run->is_accepted[2]) {
        defer(fixture, run->ids[2]);
        run->is_deferred = true;
    }
    if (run->is_accepted[0]) {
        (void)spool_mark(fixture->spool, fixture_find(fixture, run->ids[0]), &first, 1,
                         MARK_DELIVERED);
        assert_int_equal(fixture_finish(fixture, run->ids[0], 1, NULL), 0);
        run->is_finished = true;
    }
}

static void check_what_is_left(struct spool_fixture *fixture, const struct run *run)
{
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        bool is_there = fixture_has(fixture, run->ids[i], i == 1 ? "long\r\n" : "short\r\n");

        if (run->is_accepted[i] && !(i == 0 && run->is_finished) && !is_there)
            fail_msg("message %u was accepted and is lost", i);
        if (i == 0 && run->is_finished && is_there)
            fail_msg("message 0 was finished and came back");
    }
    if (!fixture_has(fixture, run->old_id, "old\r\n"))
        fail_msg("the message that was being moved is lost");
    for (uint32_t i = 0; i < fixture->n_rows && run->is_deferred; i++) {
        const struct recipient_row *row = &fixture->rows[i].row;

        if (fixture->rows[i].id == run->ids[2] &&
            (row->state != RECIPIENT_DEFERRED || row->attempts != 1 || row->flags != 0))
            fail_msg("a stored retry is not what it was");
    }
}

/* What looked full is looked at again within a second. */
static int append_when_there_is_room(struct spool_fixture *fixture)
{
    int result;

    while ((result = fixture_append(fixture, queue_id_new(), "next\r\n", 1)) == -ENOSPC)
        mailbox_wait(fixture->answers, 20);
    return result;
}

/* What a start finds is sealed, and a sealed segment with little in it is compacted at once. */
static void leave_one_behind(struct spool_fixture *fixture, struct run *run)
{
    run->old_id = queue_id_new();
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, run->old_id, "old\r\n", 1), 0);
    fixture_stop(fixture);
}

enum { WAITS_EVERY = 16 }; /* up to a second each, until a full disk is looked at */

/* True when the n-th call was reached. */
static bool fail_nth(unsigned nth, int error)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    struct run run = {0};
    bool has_failed;

    leave_one_behind(fixture, &run);
    io_shim_fail(nth, error);
    if (fixture_start(fixture)) /* it may be refused once, not twice */
        assert_int_equal(fixture_start(fixture), 0);
    run_messages(fixture, &run);
    /* It goes on by itself: the very next message is taken. */
    has_failed = io_shim_has_failed();
    io_shim_fail(0, 0);
    if (has_failed && (error != ENOSPC || nth % WAITS_EVERY == 0))
        assert_int_equal(append_when_there_is_room(fixture), 0);
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    check_what_is_left(fixture, &run);
    fixture_free(fixture);
    return has_failed;
}

static void an_io_error_of_any_call_loses_nothing(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, EIO) >= 20);
}

static void a_full_disk_at_any_call_loses_nothing(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, ENOSPC) >= 20);
}

static void a_short_write_at_any_call_loses_nothing(void **state)
{
    (void)state;
    assert_true(io_shim_fail_each(fail_nth, IO_SHORT_WRITE) >= 20);
}

/* Start itself may be refused, with a reason; the next start finds everything. */
static void a_start_that_failed_can_be_repeated(void **state)
{
    bool has_failed = true;

    (void)state;
    for (unsigned nth = 1; has_failed; nth++) {
        struct spool_fixture *fixture = fixture_new_on_shim();
        uint64_t id = queue_id_new();
        int error;

        assert_int_equal(fixture_start(fixture), 0);
        assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
        fixture_stop(fixture);
        io_shim_fail(nth, EIO);
        error = fixture_start(fixture);
        has_failed = io_shim_has_failed();
        io_shim_fail(0, 0);
        if (error)
            assert_int_equal(fixture_start(fixture), 0);
        assert_true(fixture_has(fixture, id, "hello\r\n"));
        fixture_free(fixture);
    }
}

/* ---- failures that stay ---- */

static void a_segment_that_cannot_be_synced_is_abandoned(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new(), second = queue_id_new();
    size_t n;
    const struct io_call *calls;

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    io_shim_fail_all("sync segments/00000001.seg", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    io_shim_fail_all(NULL, 0);
    io_shim_record();
    assert_int_equal(fixture_append(fixture, second, "second\r\n", 1), 0);
    calls = io_shim_calls(&n);
    for (size_t i = 0; i < n; i++) {
        if (io_call_is_on(&calls[i], IO_SYNC, "segments/00000001.seg") ||
            io_call_is_on(&calls[i], IO_WRITE, "segments/00000001.seg"))
            fail_msg("the abandoned segment was used again");
    }
    assert_true(fixture_has(fixture, first, "first\r\n"));
    fixture_free(fixture);
}

static void a_commit_that_fails_is_followed_by_another_database(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new(), second = queue_id_new();
    char path[128];

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    io_shim_fail_all("sync queue.db-wal", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    assert_true(spool_is_healthy(fixture->spool));
    assert_int_equal(fixture_append(fixture, second, "second\r\n", 1), 0);
    assert_int_equal(fixture_finish(fixture, first, 1, NULL), 0);
    snprintf(path, sizeof(path), "%s/queue.current", fixture->dir);
    assert_int_equal(access(path, F_OK), 0);
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 1);
    assert_true(fixture_has(fixture, second, "second\r\n"));
    fixture_free(fixture);
}

static void update_done(struct spool_update *update)
{
    update->answer_to = NULL;
}

static void without_any_database_nothing_is_accepted_and_nothing_lost(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new();
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = 1};
    struct spool_update update = {
        .answer_to = fixture->answers, .done = update_done, .changes = &change, .n_changes = 1};

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    io_shim_fail_all("sync queue", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    assert_false(spool_is_healthy(fixture->spool));
    assert_false(spool_may_deliver(fixture->spool));
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    /* A verdict waits, and is answered only when the spool gives up. */
    update.stored = fixture_find(fixture, first);
    spool_update(fixture->spool, &update);
    fixture->spool = spool_stop(fixture->spool);
    mailbox_run(fixture->answers);
    assert_null(update.answer_to);
    assert_int_equal(update.result, -ESHUTDOWN);
    io_shim_fail_all(NULL, 0);
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_true(fixture_has(fixture, first, "first\r\n"));
    fixture_free(fixture);
}

static void when_the_disk_is_back_what_waited_is_committed(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new();

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    io_shim_fail_all("sync queue", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "refused\r\n", 1), -EIO);
    assert_false(spool_may_deliver(fixture->spool));
    io_shim_fail_all(NULL, 0);
    assert_int_equal(fixture_finish(fixture, first, 1, NULL), 0); /* answered by the next attempt */
    assert_int_equal(fixture_append(fixture, queue_id_new(), "next\r\n", 1), 0);
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 1);
    fixture_free(fixture);
}

static void verdicts_use_the_reserve_when_the_disk_is_full(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new();
    char path[128];

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    snprintf(path, sizeof(path), "%s/reserve", fixture->dir);
    assert_int_equal(access(path, F_OK), 0);
    io_shim_fail_next("write queue.db-wal", ENOSPC);
    assert_int_equal(fixture_finish(fixture, first, 1, NULL), 0);
    assert_true(io_shim_has_failed());
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 0);
    fixture_free(fixture);
}

/* Otherwise a full disk would stop all delivery at the first failure that wants a report. */
static void a_report_without_room_takes_the_reserve(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t id = queue_id_new(), report_id = queue_id_new();
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = 1};
    const struct slice piece = SLICE_LITERAL("Subject: x\r\n\r\nfailed\r\n");
    const struct recipient back = {.address = SLICE_LITERAL("news@example.org")};
    const struct envelope envelope = {
        .id = report_id, .n_recipients = 1, .recipients = &back, .flags = MESSAGE_REPORT};
    struct spool_append report = {
        .envelope = &envelope, .header_bytes = 14, .pieces = &piece, .n_pieces = 1};
    struct spool_update update = {
        .changes = &change, .n_changes = 1, .reports = &report, .n_reports = 1};
    bool is_reserve_given = false;
    const struct io_call *calls;
    size_t n;

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    update.stored = fixture_find(fixture, id);
    io_shim_record();
    io_shim_fail_next("write segments/", ENOSPC); /* the report's own bytes */
    assert_int_equal(fixture_update(fixture, &update), 0);
    assert_true(io_shim_has_failed());
    calls = io_shim_calls(&n);
    for (size_t i = 0; i < n; i++)
        is_reserve_given |= io_call_is_on(&calls[i], IO_REMOVE, "reserve");
    assert_true(is_reserve_given);
    assert_true(fixture_has(fixture, report_id, "failed\r\n"));
    fixture_free(fixture);
}

static struct stored *foreseen;

static void foresee(void *owner, struct stored *stored, const struct envelope *envelope)
{
    (void)owner;
    (void)envelope;
    foreseen = stored_ref(stored);
}

/* Its bytes are written; who heard of it before its commit failed must not read what follows. */
static void what_was_refused_is_leased_to_nobody(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    struct spool_view view;

    (void)state;
    fixture->settings.callbacks.on_written = foresee;
    assert_int_equal(fixture_start(fixture), 0);
    io_shim_fail_all("sync queue", EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "short\r\n", 1), -EIO);
    io_shim_fail_all(NULL, 0);
    assert_non_null(foreseen);
    assert_int_equal(spool_lease(fixture->spool, foreseen, &view), -ENOENT);
    stored_unref(TAKE(foreseen));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_io_error_of_any_call_loses_nothing),
        cmocka_unit_test(a_full_disk_at_any_call_loses_nothing),
        cmocka_unit_test(a_short_write_at_any_call_loses_nothing),
        cmocka_unit_test(a_start_that_failed_can_be_repeated),
        cmocka_unit_test(a_segment_that_cannot_be_synced_is_abandoned),
        cmocka_unit_test(a_commit_that_fails_is_followed_by_another_database),
        cmocka_unit_test(a_report_without_room_takes_the_reserve),
        cmocka_unit_test(without_any_database_nothing_is_accepted_and_nothing_lost),
        cmocka_unit_test(when_the_disk_is_back_what_waited_is_committed),
        cmocka_unit_test(verdicts_use_the_reserve_when_the_disk_is_full),
        cmocka_unit_test(what_was_refused_is_leased_to_nobody),
    };

    /* Hundreds of folders: in memory, where there is some.  What is synced, and when, is in the
     * record. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
