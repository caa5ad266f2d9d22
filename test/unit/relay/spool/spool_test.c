#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/spool/queue_id.h"
#include "relay/spool/spool_reader.h"
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

static void restart(struct spool_fixture *fixture)
{
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
}

static void a_message_can_be_read_after_its_receipt(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 2), 0);
    assert_true(fixture_has(fixture, id, "hello\r\n"));
    assert_int_equal(fixture_find(fixture, id)->n_open, 2);
}

static void the_envelope_comes_back_from_the_record(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct buffer buffer = BUFFER_INIT;
    struct arena arena = {0};
    struct envelope envelope;
    struct spool_view view;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 3), 0);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, id), &view), 0);
    assert_int_equal(spool_read_envelope(&view, &buffer, &arena, &envelope), 0);
    assert_true(envelope.id == id);
    assert_slice_is(envelope.sender, "news@example.org");
    assert_int_equal(envelope.n_recipients, 3);
    assert_slice_is(envelope.recipients[2].address, "user3@example.net");
    spool_release(fixture->spool, &view);
    buffer_fini(&buffer);
    arena_reset(&arena);
}

static void what_waits_is_found_again_after_a_restart(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t first = queue_id_new(), second = queue_id_new();

    assert_int_equal(fixture_append(fixture, first, "one\r\n", 2), 0);
    assert_int_equal(fixture_append(fixture, second, "two\r\n", 1), 0);
    assert_int_equal(fixture_finish(fixture, first, 1, NULL), 0);
    restart(fixture);
    assert_int_equal(fixture->n_recovered, 2);
    assert_int_equal(fixture->n_rows, 2);
    assert_true(fixture->rows[0].id == first);
    assert_int_equal(fixture->rows[0].row.n, 2);
    assert_string_equal(fixture->rows[0].address, "user2@example.net");
    assert_true(fixture_has(fixture, first, "one\r\n"));
    assert_true(fixture_has(fixture, second, "two\r\n"));
}

static void a_message_ends_with_its_last_recipient(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct spool_view view;
    bool is_finished;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 2), 0);
    assert_int_equal(fixture_finish(fixture, id, 1, &is_finished), 0);
    assert_false(is_finished);
    assert_int_equal(fixture_finish(fixture, id, 2, &is_finished), 0);
    assert_true(is_finished);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, id), &view), -ENOENT);
    restart(fixture);
    assert_int_equal(fixture->n_recovered, 0);
}

static void a_recipient_is_not_finished_twice(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    bool is_finished;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 2), 0);
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    assert_int_equal(fixture_finish(fixture, id, 1, &is_finished), 0);
    assert_false(is_finished);
    assert_int_equal(fixture_find(fixture, id)->n_open, 1);
}

static void a_deferral_keeps_state_and_reply(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    const struct spool_change change = {.kind = CHANGE_ROW,
                                        .n = 1,
                                        .state = RECIPIENT_DEFERRED,
                                        .attempts = 3,
                                        .next_utc_ms = 1234567,
                                        .flags = RECIPIENT_DELAY_REPORTED,
                                        .reply = SLICE_LITERAL("451 later")};
    const struct spool_change mark = {.kind = CHANGE_MARK, .n = 1, .flags = RECIPIENT_DOUBTFUL};
    struct spool_update update = {.changes = &change, .n_changes = 1};

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    update.stored = fixture_find(fixture, id);
    assert_int_equal(fixture_update(fixture, &update), 0);
    update.changes = &mark;
    assert_int_equal(fixture_update(fixture, &update), 0);
    restart(fixture);
    assert_int_equal(fixture->n_rows, 1);
    assert_int_equal(fixture->rows[0].row.state, RECIPIENT_DEFERRED);
    assert_int_equal(fixture->rows[0].row.attempts, 3);
    assert_int_equal(fixture->rows[0].row.next_utc_ms, 1234567);
    assert_int_equal(fixture->rows[0].row.flags, RECIPIENT_DELAY_REPORTED | RECIPIENT_DOUBTFUL);
    assert_string_equal(fixture->rows[0].reply, "451 later");
}

static void a_report_is_durable_with_the_failure_that_caused_it(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new(), report_id = queue_id_new();
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = 1};
    const struct slice piece = SLICE_LITERAL("Subject: x\r\n\r\nfailed\r\n");
    const struct recipient back = {.address = SLICE_LITERAL("news@example.org")};
    const struct envelope envelope = {.id = report_id,
                                      .n_recipients = 1,
                                      .recipients = &back,
                                      .flags = MESSAGE_REPORT,
                                      .user = SLICE_LITERAL("news")};
    struct spool_append report = {
        .envelope = &envelope, .header_bytes = 14, .pieces = &piece, .n_pieces = 1};
    struct spool_update update = {
        .changes = &change, .n_changes = 1, .reports = &report, .n_reports = 1};

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    update.stored = fixture_find(fixture, id);
    assert_int_equal(fixture_update(fixture, &update), 0);
    assert_true(update.is_finished);
    assert_true(fixture_has(fixture, report_id, "failed\r\n"));
    restart(fixture);
    assert_int_equal(fixture->n_recovered, 1);
    assert_true(fixture->recovered[0]->id == report_id);
    assert_int_equal(fixture->recovered[0]->flags, MESSAGE_REPORT);
}

static void a_long_message_has_a_file_that_goes_with_it(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    char path[128], text[QUEUE_ID_SIZE];

    queue_id_format(id, text);
    snprintf(path, sizeof(path), "%s/large/%s", fixture->dir, text);
    assert_int_equal(fixture_append_large(fixture, id, "0123456789\r\n", 3), 0);
    assert_int_equal(access(path, F_OK), 0);
    restart(fixture);
    assert_true(fixture_has(fixture, id, "0123456789\r\n0123456789\r\n0123456789\r\n"));
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_message_too_long_for_a_segment_is_spilled_by_the_spool(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    char *body = malloc(600001);

    memset(body, 'x', 600000);
    body[600000] = '\0';
    assert_int_equal(fixture_append(fixture, id, body, 1), 0);
    assert_true(fixture_find(fixture, id)->is_large);
    restart(fixture);
    assert_true(fixture_has(fixture, id, body));
    free(body);
}

static void files_without_a_message_are_removed_at_start(void **state)
{
    struct spool_fixture *fixture = *state;
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/large/7Q2F", fixture->dir);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    restart(fixture);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_second_process_is_kept_out(void **state)
{
    struct spool_fixture *fixture = *state;
    struct spool *second = NULL;

    assert_int_equal(spool_start(&second, &fixture->settings), -EBUSY);
    assert_null(second);
}

static void a_nearly_full_disk_refuses_mail_but_takes_verdicts(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    fixture->settings.min_free_bytes = UINT64_MAX;
    restart(fixture);
    assert_true(spool_is_full(fixture->spool));
    assert_int_equal(fixture_append(fixture, queue_id_new(), "hello\r\n", 1), -ENOSPC);
    assert_int_equal(fixture_append_large(fixture, queue_id_new(), "hello\r\n", 1), -ENOSPC);
    assert_true(spool_may_deliver(fixture->spool));
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
}

static void an_id_that_is_there_refuses_only_its_message(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "first\r\n", 1), 0);
    assert_int_equal(fixture_append(fixture, id, "second\r\n", 1), -EIO);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "third\r\n", 1), 0);
    restart(fixture);
    assert_int_equal(fixture->n_recovered, 2);
    assert_true(fixture_has(fixture, id, "first\r\n"));
}

static void segments_are_used_again(void **state)
{
    struct spool_fixture *fixture = *state;
    struct spool_figures figures;
    char body[40001];

    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    /* Ten megabytes pass through segments of one. */
    for (unsigned i = 0; i < 250; i++) {
        uint64_t id = queue_id_new();

        assert_int_equal(fixture_append(fixture, id, body, 1), 0);
        assert_true(fixture_has(fixture, id, body));
        assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    }
    spool_figures(fixture->spool, &figures);
    assert_true(figures.n_segments >= 1 && figures.n_segments <= 5);
    assert_int_equal(figures.n_messages, 0);
    assert_int_equal(figures.n_finished, 250);
}

static void a_lease_keeps_bytes_that_are_finished(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct spool_view view;
    char body[40001], seen[14 + 5];

    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    assert_int_equal(fixture_append(fixture, id, "kept!", 1), 0);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, id), &view), 0);
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
    for (unsigned i = 0; i < 120; i++) {
        uint64_t next = queue_id_new();

        assert_int_equal(fixture_append(fixture, next, body, 1), 0);
        assert_int_equal(fixture_finish(fixture, next, 1, NULL), 0);
    }
    assert_int_equal(pread(view.fd, seen, sizeof(seen), (off_t)view.offset), sizeof(seen));
    assert_memory_equal(seen + 14, "kept!", 5);
    spool_release(fixture->spool, &view);
}

static void fetch_done(struct spool_fetch *fetch)
{
    fetch->answer_to = NULL;
}

static int fetch_and_wait(struct spool_fixture *fixture, const struct spool_view *view)
{
    struct spool_fetch fetch = {.answer_to = fixture->answers, .done = fetch_done, .view = view};

    assert_true(spool_fetch(fixture->spool, &fetch));
    while (fetch.answer_to) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    return fetch.result;
}

static void damaged_bytes_are_found_when_they_are_fetched(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct spool_view view;
    char path[128];
    int fd;

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, id), &view), 0);
    assert_int_equal(fetch_and_wait(fixture, &view), 0);
    snprintf(path, sizeof(path), "%s/segments/00000001.seg", fixture->dir);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "X", 1, (off_t)view.offset + 15), 1);
    close(fd);
    assert_int_equal(fetch_and_wait(fixture, &view), -EBADMSG);
    spool_release(fixture->spool, &view);
}

static void a_message_whose_segment_is_lost_is_shown_but_cannot_be_leased(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = queue_id_new();
    struct spool_view view;
    char path[128];

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", 1), 0);
    fixture_stop(fixture);
    snprintf(path, sizeof(path), "%s/segments/00000001.seg", fixture->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, 1);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, id), &view), -EBADMSG);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "next\r\n", 1), 0);
    assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
}

static void a_clock_that_steps_back_does_not_repeat_ids(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t far = queue_id_at(4102444800000); /* 2100 */

    assert_int_equal(fixture_append(fixture, far, "hello\r\n", 1), 0);
    restart(fixture);
    assert_true(queue_id_new() > far);
    assert_true(spool_last_commit_utc_ms(fixture->spool) > 0);
}

static off_t log_bytes(const struct spool_fixture *fixture)
{
    char path[128];
    struct stat status;

    snprintf(path, sizeof(path), "%s/queue.db-wal", fixture->dir);
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* SQLite would keep the file at its greatest length, and mail could wait for that room for ever. */
static void a_full_disk_gets_the_room_of_the_log_back(void **state)
{
    struct spool_fixture *fixture = *state;

    assert_int_equal(fixture_append(fixture, queue_id_new(), "hello\r\n", 1), 0);
    assert_true(log_bytes(fixture) > 0);
    spool_set_min_free(fixture->spool, UINT64_MAX);
    for (int i = 0; i < 1000 && log_bytes(fixture) > 0; i++)
        usleep(20000); /* the spool tells nobody */
    assert_int_equal(log_bytes(fixture), 0);
    spool_set_min_free(fixture->spool, 0);
    for (int i = 0; i < 1000 && spool_is_full(fixture->spool); i++)
        usleep(20000);
    assert_int_equal(fixture_append(fixture, queue_id_new(), "hello\r\n", 1), 0);
}

int main(void)
{
#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_message_can_be_read_after_its_receipt),
        SPOOL_TEST(the_envelope_comes_back_from_the_record),
        SPOOL_TEST(what_waits_is_found_again_after_a_restart),
        SPOOL_TEST(a_message_ends_with_its_last_recipient),
        SPOOL_TEST(a_recipient_is_not_finished_twice),
        SPOOL_TEST(a_deferral_keeps_state_and_reply),
        SPOOL_TEST(a_report_is_durable_with_the_failure_that_caused_it),
        SPOOL_TEST(a_long_message_has_a_file_that_goes_with_it),
        SPOOL_TEST(a_message_too_long_for_a_segment_is_spilled_by_the_spool),
        SPOOL_TEST(files_without_a_message_are_removed_at_start),
        SPOOL_TEST(a_second_process_is_kept_out),
        SPOOL_TEST(a_nearly_full_disk_refuses_mail_but_takes_verdicts),
        SPOOL_TEST(a_full_disk_gets_the_room_of_the_log_back),
        SPOOL_TEST(an_id_that_is_there_refuses_only_its_message),
        SPOOL_TEST(segments_are_used_again),
        SPOOL_TEST(a_lease_keeps_bytes_that_are_finished),
        SPOOL_TEST(damaged_bytes_are_found_when_they_are_fetched),
        SPOOL_TEST(a_message_whose_segment_is_lost_is_shown_but_cannot_be_leased),
        SPOOL_TEST(a_clock_that_steps_back_does_not_repeat_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
