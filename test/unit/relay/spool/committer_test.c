/* What comes while a group's bytes are being synced: a failure of the database, verdicts behind one
 * that is put off, readers while the log is emptied; and verdicts that wait for company. */
#include "test/support/test_support.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "relay/spool/parts.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool_reader.h"
#include "test/support/io_shim.h"
#include "test/support/spool_fixture.h"

/* On the spool's thread, inside the next sync of bytes. */
static void (*during_sync)(void);
static struct spool_fixture *fixture;
static atomic_bool is_tight; /* the disk has little room */

static int data_sync(int fd)
{
    void (*now)(void) = during_sync;

    during_sync = NULL;
    if (now)
        now();
    return io_shim.data_sync(fd);
}

static int space(int fd, struct statvfs *out)
{
    int error = io_shim.space(fd, out);

    if (atomic_load(&is_tight))
        out->f_bavail = 1;
    return error;
}

static int start(void **state)
{
    static struct io io;

    (void)state;
    fixture = fixture_new_on_shim();
    io = io_shim;
    io.data_sync = data_sync;
    io.space = space;
    fixture->settings.io = &io;
    during_sync = NULL;
    atomic_store(&is_tight, false);
    return fixture_start(fixture);
}

static int stop(void **state)
{
    (void)state;
    fixture_free(fixture);
    return 0;
}

static uint64_t append(uint32_t n_recipients)
{
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", n_recipients), 0);
    return id;
}

/* ---- a database that fails meanwhile ---- */

static void lose_database(void)
{
    io_shim_fail_all("sync queue", EIO); /* there is none to take its place either */
    committer_note_failure(fixture->spool, -EIO);
    io_shim_record();
}

static void nothing_goes_to_a_database_that_failed_while_bytes_were_synced(void **state)
{
    uint64_t first = append(1), refused = queue_id_new();
    const struct io_call *calls;
    size_t n_calls;

    (void)state;
    during_sync = lose_database;
    assert_int_equal(fixture_append(fixture, refused, "refused\r\n", 1), -EIO);
    calls = io_shim_calls(&n_calls);
    for (size_t i = 0; i < n_calls; i++)
        if (io_call_is_on(&calls[i], IO_WRITE, "queue.db-wal"))
            fail_msg("rows were written into the database that failed");
    io_shim_fail_all(NULL, 0);
    assert_int_equal(fixture_finish(fixture, first, 1, NULL), 0); /* it waited for another */
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 0);
}

/* ---- verdicts behind one that is put off ---- */

static struct {
    struct spool_update first, meanwhile, beside;
    struct spool_change put_off, hold, mark;
    struct spool_append report, other;
    struct envelope report_envelope, other_envelope;
    unsigned n_done;
} race;

static const struct recipient back = {.address = SLICE_LITERAL("news@example.org")};
static const struct slice piece = SLICE_LITERAL("Subject: x\r\n\r\nlate\r\n");

static void update_done(struct spool_update *update)
{
    assert_int_equal(update->result, 0);
    race.n_done++;
}

static void append_done(struct spool_append *append)
{
    assert_int_equal(append->result, 0);
    race.n_done++;
}

static void update(struct spool_update *it, const struct spool_change *change, uint64_t id)
{
    it->answer_to = fixture->answers;
    it->done = update_done;
    it->stored = fixture_find(fixture, id);
    it->changes = change;
    it->n_changes = 1;
}

static void prepare(struct spool_append *it, struct envelope *envelope)
{
    *envelope = (struct envelope){.id = queue_id_new(), .n_recipients = 1, .recipients = &back};
    *it = (struct spool_append){.answer_to = fixture->answers,
                                .done = append_done,
                                .envelope = envelope,
                                .header_bytes = 14,
                                .pieces = &piece,
                                .n_pieces = 1};
}

/* In the group behind, where one more sync is made for other mail. */
static void decide_again(void)
{
    spool_update(fixture->spool, &race.meanwhile);
}

/* The report of the first cannot be written; one more change of its row stands right behind it. */
static void decide(void)
{
    io_shim_fail_next("write segments/", ENOSPC);
    spool_update(fixture->spool, &race.first);
    spool_update(fixture->spool, &race.beside);
    if (!spool_append(fixture->spool, &race.other))
        abort();
    during_sync = decide_again;
}

static void the_older_change_of_a_row_is_committed_first(void **state)
{
    uint64_t id = append(2);

    (void)state;
    memset(&race, 0, sizeof(race));
    prepare(&race.report, &race.report_envelope);
    prepare(&race.other, &race.other_envelope);
    race.put_off = (struct spool_change){
        .kind = CHANGE_ROW, .n = 1, .state = RECIPIENT_DEFERRED, .attempts = 1};
    race.mark =
        (struct spool_change){.kind = CHANGE_MARK, .n = 1, .flags = RECIPIENT_DELAY_REPORTED};
    race.hold = (struct spool_change){.kind = CHANGE_ROW,
                                      .n = 1,
                                      .state = RECIPIENT_HELD,
                                      .attempts = 2,
                                      .flags = RECIPIENT_DELAY_REPORTED};
    update(&race.first, &race.put_off, id);
    update(&race.beside, &race.mark, id);
    update(&race.meanwhile, &race.hold, id);
    race.first.reports = &race.report;
    race.first.n_reports = 1;
    during_sync = decide;
    append(1);
    while (race.n_done < 4) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    assert_true(io_shim_has_failed());
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->rows[0].id, id);
    assert_int_equal(fixture->rows[0].row.state, RECIPIENT_HELD);
    assert_int_equal(fixture->rows[0].row.attempts, 2);
    assert_int_equal(fixture->rows[0].row.flags, RECIPIENT_DELAY_REPORTED);
}

/* Without the newest: the change right behind must not be undone by the one put off. */
static void a_change_behind_one_that_is_put_off_waits_with_it(void **state)
{
    uint64_t id = append(1);

    (void)state;
    memset(&race, 0, sizeof(race));
    prepare(&race.report, &race.report_envelope);
    prepare(&race.other, &race.other_envelope);
    race.put_off = (struct spool_change){.kind = CHANGE_ROW, .n = 1, .state = RECIPIENT_DEFERRED};
    race.mark =
        (struct spool_change){.kind = CHANGE_MARK, .n = 1, .flags = RECIPIENT_DELAY_REPORTED};
    update(&race.first, &race.put_off, id);
    update(&race.beside, &race.mark, id);
    race.first.reports = &race.report;
    race.first.n_reports = 1;
    during_sync = decide;
    race.meanwhile = (struct spool_update){.answer_to = fixture->answers,
                                           .done = update_done,
                                           .stored = race.first.stored}; /* changes nothing */
    append(1);
    while (race.n_done < 4) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->rows[0].row.state, RECIPIENT_DEFERRED);
    assert_int_equal(fixture->rows[0].row.flags, RECIPIENT_DELAY_REPORTED);
}

/* ---- verdicts that can wait ---- */

enum { N_VERDICTS = 3 };

static struct {
    struct spool_update updates[N_VERDICTS];
    struct spool_change changes[N_VERDICTS];
    unsigned n_done;
} patient;

static void patient_done(struct spool_update *update)
{
    assert_int_equal(update->result, 0);
    patient.n_done++;
}

static void wait_patiently(uint32_t company_ms)
{
    fixture_stop(fixture);
    fixture->settings.company_ms = company_ms;
    assert_int_equal(fixture_start(fixture), 0);
    memset(&patient, 0, sizeof(patient));
}

static void finish_patiently(uint64_t id, unsigned i)
{
    patient.changes[i] = (struct spool_change){.kind = CHANGE_FINISHED, .n = i + 1};
    patient.updates[i] = (struct spool_update){.answer_to = fixture->answers,
                                               .done = patient_done,
                                               .stored = fixture_find(fixture, id),
                                               .changes = &patient.changes[i],
                                               .n_changes = 1,
                                               .can_wait = true};
    spool_update(fixture->spool, &patient.updates[i]);
}

static void await_patient(unsigned n)
{
    while (patient.n_done < n) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
}

static uint64_t n_groups(void)
{
    struct spool_figures figures;

    spool_figures(fixture->spool, &figures);
    return figures.n_groups;
}

/* The group's count is taken behind its rows and before its answers. */
static void verdicts_that_can_wait_go_with_the_next_mail(void **state)
{
    uint64_t id, n_before;

    (void)state;
    wait_patiently(3600 * 1000);
    id = append(N_VERDICTS);
    n_before = n_groups();
    for (unsigned i = 0; i < N_VERDICTS; i++)
        finish_patiently(id, i);
    append(1);
    await_patient(N_VERDICTS);
    assert_int_equal(n_groups(), n_before + 1);
}

static void without_company_they_go_alone(void **state)
{
    uint64_t id = append(N_VERDICTS);

    (void)state;
    memset(&patient, 0, sizeof(patient));
    finish_patiently(id, 0);
    await_patient(1);
}

static void at_the_end_they_wait_no_longer(void **state)
{
    uint64_t id;

    (void)state;
    wait_patiently(3600 * 1000);
    id = append(N_VERDICTS);
    for (unsigned i = 0; i < N_VERDICTS; i++)
        finish_patiently(id, i);
    fixture_stop(fixture);
    mailbox_run(fixture->answers);
    assert_int_equal(patient.n_done, N_VERDICTS);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 0);
}

/* ---- readers ---- */

enum { N_ROWS = 400, LONGEST_MS = 3000, EMPTIED_AFTER_MS = 1500 };

/* Inside a read, with its snapshot held, over one attempt at least to empty the log (one a second
 * while the disk is full): none of them may keep commits waiting. */
static bool commit_meanwhile(void *owner, const struct message_row *message)
{
    int64_t begin_ms = clock_monotonic_ms(), longest_ms = 0;

    for (uint32_t n = 1; n <= N_ROWS && clock_monotonic_ms() < begin_ms + EMPTIED_AFTER_MS; n++) {
        int64_t asked_ms = clock_monotonic_ms();

        assert_int_equal(fixture_finish(fixture, message->id, n, NULL), 0);
        if (clock_monotonic_ms() - asked_ms > longest_ms)
            longest_ms = clock_monotonic_ms() - asked_ms;
        mailbox_wait(fixture->answers, EMPTIED_AFTER_MS / N_ROWS * 2); /* nothing comes */
    }
    *(int64_t *)owner = longest_ms;
    return false;
}

static void a_long_read_keeps_no_commit_waiting_while_the_log_is_emptied(void **state)
{
    struct queue_filter filter = {0};
    struct spool_reader *reader;
    int64_t longest_ms = -1;
    uint64_t cursor;

    (void)state;
    append(N_ROWS);
    atomic_store(&is_tight, true);
    assert_int_equal(spool_reader_new(&reader, fixture->dir), 0);
    assert_int_equal(
        spool_reader_list(reader, &filter, 1, 1, commit_meanwhile, &longest_ms, &cursor), 0);
    spool_reader_free(reader);
    assert_in_range(longest_ms, 0, LONGEST_MS);
}

int main(void)
{
#define COMMITTER_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        COMMITTER_TEST(nothing_goes_to_a_database_that_failed_while_bytes_were_synced),
        COMMITTER_TEST(the_older_change_of_a_row_is_committed_first),
        COMMITTER_TEST(a_change_behind_one_that_is_put_off_waits_with_it),
        COMMITTER_TEST(verdicts_that_can_wait_go_with_the_next_mail),
        COMMITTER_TEST(without_company_they_go_alone),
        COMMITTER_TEST(at_the_end_they_wait_no_longer),
        COMMITTER_TEST(a_long_read_keeps_no_commit_waiting_while_the_log_is_emptied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
