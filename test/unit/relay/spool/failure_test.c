/* Failures that wait for a digest: kept from the end of the recipient to the report about it. */
#include "test/support/test_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/spool/parts.h"
#include "relay/spool/queue_id.h"
#include "test/support/spool_fixture.h"

static struct failures_waiting waiting[8];
static unsigned n_waiting;

static void on_failures(void *owner, const struct failures_waiting *found)
{
    (void)owner;
    assert_true(n_waiting < 8);
    waiting[n_waiting++] = *found;
}

static int start(void **state)
{
    struct spool_fixture *fixture = fixture_new();

    fixture->settings.callbacks.on_failures = on_failures;
    n_waiting = 0;
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
    n_waiting = 0;
    assert_int_equal(fixture_start(fixture), 0);
}

static const struct slice boss = SLICE_LITERAL("boss@shop.example");

static struct failure failure_of(struct slice sender, uint64_t message, uint32_t n)
{
    return (struct failure){
        .user_id = 7,
        .user = SLICE_LITERAL("shop"),
        .sender = sender,
        .message = message,
        .n = n,
        .failed_utc_ms = 1000 + n,
        .address = SLICE_LITERAL("ann@dest.example"),
        .status = SLICE_LITERAL("5.1.1"),
        .mx = SLICE_LITERAL("mx.dest.example"),
        .diagnostic = SLICE_LITERAL("550 5.1.1 Nobody"),
        .subject = SLICE_LITERAL("caf\xc3\xa9"),
    };
}

/* Recipient n fails; the update's result. */
static int refuse(struct spool_fixture *fixture, struct slice sender, uint64_t id, uint32_t n)
{
    const struct spool_change change = {.kind = CHANGE_FINISHED, .n = n};
    const struct failure failure = failure_of(sender, id, n);
    struct spool_update update = {
        .stored = fixture_find(fixture, id),
        .changes = &change,
        .n_changes = 1,
        .failures = &failure,
        .n_failures = 1,
    };

    return fixture_update(fixture, &update);
}

static bool is_collected;

static void on_collected(struct spool_collect *collect)
{
    (void)collect;
    is_collected = true;
}

struct collected {
    struct spool_collect collect;
    struct arena arena;
};

static const struct failure *collect(struct spool_fixture *fixture, struct slice sender,
                                     uint32_t most, size_t most_bytes, struct collected *out)
{
    *out = (struct collected){
        .collect = {.answer_to = fixture->answers,
                    .done = on_collected,
                    .user_id = 7,
                    .sender = sender,
                    .most = most,
                    .most_bytes = most_bytes}
    };
    arena_init(&out->arena, 0);
    out->collect.arena = &out->arena;
    is_collected = false;
    spool_collect(fixture->spool, &out->collect);
    while (!is_collected) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    assert_int_equal(out->collect.result, 0);
    return spool_collected_rows(&out->collect);
}

static void forget(struct collected *collected)
{
    buffer_fini(&collected->collect.rows);
    arena_reset(&collected->arena);
}

static uint32_t count(struct spool_fixture *fixture, struct slice sender)
{
    struct collected collected;
    uint32_t n;

    collect(fixture, sender, 1000, 1 << 20, &collected);
    n = spool_collected(&collected.collect);
    forget(&collected);
    return n;
}

static uint64_t message_with_failures(struct spool_fixture *fixture, uint32_t n)
{
    uint64_t id = queue_id_new();

    assert_int_equal(fixture_append(fixture, id, "hello\r\n", n + 1), 0);
    for (uint32_t i = 1; i <= n; i++)
        assert_int_equal(refuse(fixture, boss, id, i), 0);
    return id;
}

static void a_failure_is_kept_over_a_restart_with_all_its_words(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t id = message_with_failures(fixture, 2);
    struct collected collected;
    const struct failure *rows;

    restart(fixture);
    assert_int_equal(n_waiting, 1);
    assert_int_equal(waiting[0].user_id, 7);
    assert_int_equal(waiting[0].n, 2);
    assert_int_equal(waiting[0].first_utc_ms, 1001);
    rows = collect(fixture, boss, 1000, 1 << 20, &collected);
    assert_int_equal(spool_collected(&collected.collect), 2);
    assert_false(collected.collect.has_more);
    assert_true(rows[0].id < rows[1].id);
    assert_int_equal(rows[1].message, id);
    assert_int_equal(rows[1].n, 2);
    assert_true(slice_equal(rows[0].sender, boss));
    assert_true(slice_equal(rows[0].user, slice_of("shop")));
    assert_true(slice_equal(rows[0].address, slice_of("ann@dest.example")));
    assert_true(slice_equal(rows[0].diagnostic, slice_of("550 5.1.1 Nobody")));
    assert_true(slice_equal(rows[0].subject, slice_of("caf\xc3\xa9")));
    assert_int_equal(rows[0].reason.len, 0);
    forget(&collected);
}

static bool is_appended;

static void on_appended(struct spool_append *append)
{
    (void)append;
    is_appended = true;
}

/* A report that tells those up to last_id. */
static int tell(struct spool_fixture *fixture, uint64_t last_id)
{
    static const struct slice text = SLICE_LITERAL("Subject: digest\r\n\r\nfailed\r\n");
    const struct recipient to = {.address = boss};
    const struct envelope envelope = {
        .id = queue_id_new(), .user_id = 7, .n_recipients = 1, .recipients = &to};
    const struct failures_told told = {7, boss, last_id};
    struct spool_append append = {
        .answer_to = fixture->answers,
        .done = on_appended,
        .envelope = &envelope,
        .header_bytes = 19,
        .pieces = &text,
        .n_pieces = 1,
        .tells = &told,
    };

    is_appended = false;
    assert_true(spool_append(fixture->spool, &append));
    while (!is_appended) {
        mailbox_wait(fixture->answers, -1);
        mailbox_run(fixture->answers);
    }
    return append.result;
}

static void a_report_takes_what_it_tells_and_nothing_else(void **state)
{
    static const struct slice other = SLICE_LITERAL("other@shop.example");
    struct spool_fixture *fixture = *state;
    struct collected collected;
    uint64_t id = message_with_failures(fixture, 3), last_told;

    assert_int_equal(refuse(fixture, other, id, 4), 0);
    last_told = collect(fixture, boss, 2, 1 << 20, &collected)[1].id;
    assert_true(collected.collect.has_more);
    forget(&collected);
    assert_int_equal(tell(fixture, last_told), 0);
    restart(fixture);
    assert_int_equal(fixture->n_recovered, 1); /* the report; the message is finished */
    assert_int_equal(n_waiting, 2);
    assert_int_equal(count(fixture, boss), 1);
    assert_int_equal(count(fixture, other), 1);
}

static void bounds_hold_and_one_is_always_read(void **state)
{
    struct spool_fixture *fixture = *state;
    struct collected collected;

    message_with_failures(fixture, 3);
    collect(fixture, boss, 1000, 1, &collected);
    assert_int_equal(spool_collected(&collected.collect), 1);
    assert_true(collected.collect.has_more);
    forget(&collected);
    collect(fixture, boss, 3, 1 << 20, &collected);
    assert_int_equal(spool_collected(&collected.collect), 3);
    assert_false(collected.collect.has_more);
    forget(&collected);
}

static void another_database_keeps_failures(void **state)
{
    struct spool_fixture *fixture = *state;
    struct rebuild_result result;
    struct store store;
    bool is_new;
    int dir_fd;

    message_with_failures(fixture, 2);
    fixture_stop(fixture);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    dir_fd = open(fixture->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(store_open(&store, &io_system, fixture->dir, dir_fd, NULL, &is_new), 0);
    assert_int_equal(store_rewrite(&store), 0);
    store_close(&store);
    close(dir_fd);
    n_waiting = 0;
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(n_waiting, 1);
    assert_int_equal(count(fixture, boss), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failure_is_kept_over_a_restart_with_all_its_words, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_report_takes_what_it_tells_and_nothing_else, start, stop),
        cmocka_unit_test_setup_teardown(bounds_hold_and_one_is_always_read, start, stop),
        cmocka_unit_test_setup_teardown(another_database_keeps_failures, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
