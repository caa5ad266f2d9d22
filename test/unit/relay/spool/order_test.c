#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/spool/queue_id.h"
#include "relay/spool/segment.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

/* ---- the order of things ---- */

/* Position of the first such call from `from` on. */
static size_t find_call(size_t from, enum io_call_kind kind, const char *start)
{
    size_t n;
    const struct io_call *calls = io_shim_calls(&n);

    for (size_t i = from; i < n; i++) {
        if (io_call_is_on(&calls[i], kind, start))
            return i;
    }
    fail_msg("no call of kind %d on %s from %zu on", (int)kind, start, from);
    return 0;
}

static void bytes_are_synced_before_rows_and_rows_before_the_receipt(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    size_t bytes, sync, rows, commit, receipt;

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "first\r\n", 1), 0);
    io_shim_record();
    assert_int_equal(fixture_append(fixture, queue_id_new(), "hello\r\n", 1), 0);
    io_shim_note("receipt");
    bytes = find_call(0, IO_WRITE, "segments/00000001.seg");
    sync = find_call(bytes, IO_SYNC, "segments/00000001.seg");
    rows = find_call(0, IO_WRITE, "queue.db-wal");
    commit = find_call(rows, IO_SYNC, "queue.db-wal");
    receipt = find_call(0, IO_NOTE, "receipt");
    assert_true(bytes < sync && sync < rows && rows < commit && commit < receipt);
    fixture_free(fixture);
}

static void one_message_costs_two_syncs(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "first\r\n", 1), 0);
    io_shim_record();
    assert_int_equal(fixture_append(fixture, queue_id_new(), "hello\r\n", 1), 0);
    assert_int_equal(io_shim_n_syncs(), 2);
    fixture_free(fixture);
}

/* ---- a spare segment: made while groups commit ---- */

static unsigned n_half_syncs, n_whole_syncs, n_steps, failing_step;
static uint64_t n_written_back;

static int count_data_sync(int fd)
{
    n_half_syncs++;
    return io_system.data_sync(fd);
}

static int count_sync(int fd)
{
    n_whole_syncs++;
    return io_system.sync(fd);
}

static int count_step(int fd, uint64_t offset, uint64_t length)
{
    assert_true(offset == n_written_back);
    n_written_back += length;
    n_steps++;
    return n_steps == failing_step ? -EIO : io_system.write_back(fd, offset, length);
}

static void a_spare_segment_is_written_in_steps_and_synced_once(void **state)
{
    struct spool_fixture *fixture = fixture_new();
    struct io io = io_system;
    struct segment *segment = NULL;
    int dir_fd = open(fixture->dir, O_RDONLY | O_DIRECTORY);

    (void)state;
    io.data_sync = count_data_sync;
    io.sync = count_sync;
    io.write_back = count_step;
    assert_int_equal(segment_create(&segment, &io, dir_fd, 1, 18 << 20, true), 0);
    assert_int_equal(n_steps, 4); /* the rest goes with the sync */
    assert_true(n_written_back == 16 << 20);
    assert_int_equal(n_whole_syncs, 1);
    assert_int_equal(n_half_syncs, 0);
    segment_free(segment);
    n_steps = 0;
    n_written_back = 0;
    failing_step = 3; /* its error is told once, so the file must not be used */
    assert_int_equal(segment_create(&segment, &io, dir_fd, 2, 18 << 20, true), -EIO);
    assert_int_equal(faccessat(dir_fd, "00000002.seg", F_OK, 0), -1);
    close(dir_fd);
    fixture_free(fixture);
}

/* ---- the price: R6 of the catalogue, by counts ---- */

enum { N_SESSIONS = 64, N_OF_A_SESSION = 20 };

struct session {
    struct spool_append append;
    struct envelope envelope;
    struct slice pieces[2];
    unsigned n_sent;
    bool is_over;
};

static struct spool_fixture *busy;

static void send_next(struct session *session);

static void on_accepted(struct spool_append *append)
{
    struct session *session = (struct session *)append;

    assert_int_equal(append->result, 0);
    send_next(session);
}

static void send_next(struct session *session)
{
    static const struct recipient recipient = {.address = SLICE_LITERAL("user@example.net")};

    session->is_over = session->n_sent++ == N_OF_A_SESSION;
    if (session->is_over)
        return;
    session->envelope =
        (struct envelope){.id = queue_id_new(), .n_recipients = 1, .recipients = &recipient};
    session->pieces[0] = SLICE_LITERAL("Subject: x\r\n\r\n");
    session->pieces[1] = SLICE_LITERAL("hello\r\n");
    session->append = (struct spool_append){.answer_to = busy->answers,
                                            .done = on_accepted,
                                            .envelope = &session->envelope,
                                            .header_bytes = 14,
                                            .pieces = session->pieces,
                                            .n_pieces = 2};
    assert_true(spool_append(busy->spool, &session->append));
}

static bool are_over(const struct session *sessions)
{
    for (unsigned i = 0; i < N_SESSIONS; i++) {
        if (!sessions[i].is_over)
            return false;
    }
    return true;
}

/* Whoever waits during one commit is in the next: the slower the disk, the more share a sync. */
static void sixty_four_sessions_share_their_syncs(void **state)
{
    static struct session sessions[N_SESSIONS];
    size_t n_syncs;

    (void)state;
    busy = fixture_new_on_shim();
    io_shim_delay_syncs(2000);
    assert_int_equal(fixture_start(busy), 0);
    assert_int_equal(fixture_append(busy, queue_id_new(), "first\r\n", 1), 0);
    io_shim_record();
    for (unsigned i = 0; i < N_SESSIONS; i++)
        send_next(&sessions[i]);
    while (!are_over(sessions)) {
        mailbox_wait(busy->answers, -1);
        mailbox_run(busy->answers);
    }
    n_syncs = io_shim_n_syncs();
    print_message("%d messages, %zu syncs\n", N_SESSIONS * N_OF_A_SESSION, n_syncs);
    assert_true(n_syncs * 10 <= (size_t)N_SESSIONS * N_OF_A_SESSION);
    fixture_free(busy);
}

static void on_verdict(struct spool_update *update)
{
    update->answer_to = NULL;
}

/* The sooner a verdict is committed, the fewer deliveries a crash repeats. */
static void a_verdict_goes_with_the_rows_of_the_group_whose_bytes_are_being_synced(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    uint64_t first = queue_id_new();
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = 1};
    struct spool_update update = {
        .answer_to = fixture->answers, .done = on_verdict, .changes = &change, .n_changes = 1};
    struct session session = {.n_sent = N_OF_A_SESSION - 1};
    struct spool_figures figures;
    uint64_t n_groups;

    (void)state;
    busy = fixture;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, first, "first\r\n", 1), 0);
    update.stored = fixture_find(fixture, first);
    spool_figures(fixture->spool, &figures);
    n_groups = figures.n_groups;
    io_shim_hold("sync segments/");
    send_next(&session); /* a message's bytes are being synced ... */
    io_shim_wait_held();
    spool_update(fixture->spool, &update); /* ... when the verdict comes */
    io_shim_hold(NULL);
    while (update.answer_to || !session.is_over) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    spool_figures(fixture->spool, &figures);
    assert_int_equal(figures.n_groups, n_groups + 1);
    fixture_free(fixture);
}

static void a_long_message_syncs_its_file_and_folder_before_the_rows(void **state)
{
    struct spool_fixture *fixture = fixture_new_on_shim();
    size_t file, folder, rows;

    (void)state;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "first\r\n", 1), 0);
    io_shim_record();
    assert_int_equal(fixture_append_large(fixture, queue_id_new(), "hello\r\n", 2), 0);
    file = find_call(0, IO_SYNC, "large/");
    folder = find_call(0, IO_SYNC_DIR, "large");
    rows = find_call(0, IO_WRITE, "queue.db-wal");
    assert_true(file < rows && folder < rows);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_synced_before_rows_and_rows_before_the_receipt),
        cmocka_unit_test(one_message_costs_two_syncs),
        cmocka_unit_test(a_spare_segment_is_written_in_steps_and_synced_once),
        cmocka_unit_test(a_long_message_syncs_its_file_and_folder_before_the_rows),
        cmocka_unit_test(sixty_four_sessions_share_their_syncs),
        cmocka_unit_test(a_verdict_goes_with_the_rows_of_the_group_whose_bytes_are_being_synced),
    };

    /* Hundreds of folders: in memory, where there is some.  What is synced, and when, is in the
     * record. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
