#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>

#include "relay/spool/queue_id.h"
#include "test/support/spool_fixture.h"

enum { N_MESSAGES = 200, KEPT_EVERY = 20 };

static char body[40001];

static int start(void **state)
{
    struct spool_fixture *fixture = fixture_new();

    memset(body, 'x', sizeof(body) - 1);
    *state = fixture;
    return fixture_start(fixture);
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

/* Fills eight segments of one megabyte and finishes most messages. */
static void fill_sparsely(struct spool_fixture *fixture, uint64_t *ids)
{
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        ids[i] = queue_id_new();
        assert_int_equal(fixture_append(fixture, ids[i], body, 2), 0);
        assert_int_equal(fixture_finish(fixture, ids[i], 2, NULL), 0);
        if (i % KEPT_EVERY)
            assert_int_equal(fixture_finish(fixture, ids[i], 1, NULL), 0);
    }
}

/* Compaction runs between groups; each of these is one more. */
static uint32_t wait_for_segments(struct spool_fixture *fixture, uint32_t n_wanted)
{
    struct spool_figures figures;

    for (unsigned i = 0; i < 200; i++) {
        uint64_t id = queue_id_new();

        assert_int_equal(fixture_append(fixture, id, "tick", 1), 0);
        assert_int_equal(fixture_finish(fixture, id, 1, NULL), 0);
        spool_figures(fixture->spool, &figures);
        if (figures.n_segments - figures.n_free_segments <= n_wanted)
            break;
    }
    return figures.n_segments - figures.n_free_segments;
}

static void sparse_segments_are_emptied_and_every_message_stays(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t ids[N_MESSAGES];

    fill_sparsely(fixture, ids);
    assert_true(wait_for_segments(fixture, 3) <= 3);
    for (unsigned i = 0; i < N_MESSAGES; i += KEPT_EVERY)
        assert_true(fixture_has(fixture, ids[i], body));
    fixture_stop(fixture);
    assert_int_equal(fixture_start(fixture), 0);
    assert_int_equal(fixture->n_recovered, N_MESSAGES / KEPT_EVERY);
    for (unsigned i = 0; i < N_MESSAGES; i += KEPT_EVERY)
        assert_true(fixture_has(fixture, ids[i], body));
}

static void a_leased_message_may_be_moved_and_its_old_bytes_stay(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t ids[N_MESSAGES];
    struct spool_view old, fresh;
    char byte;

    ids[0] = queue_id_new();
    assert_int_equal(fixture_append(fixture, ids[0], body, 1), 0);
    assert_int_equal(spool_lease(fixture->spool, fixture_find(fixture, ids[0]), &old), 0);
    fill_sparsely(fixture, ids + 0);
    (void)wait_for_segments(fixture, 4);
    assert_int_equal(pread(old.fd, &byte, 1, (off_t)(old.offset + old.length - 1)), 1);
    assert_int_equal(byte, 'x');
    assert_int_equal(spool_lease(fixture->spool, fixture->committed[0], &fresh), 0);
    assert_true(fresh.place != old.place);
    spool_release(fixture->spool, &old);
    spool_release(fixture->spool, &fresh);
}

/* The marks went along: what was finished before the move is finished after a rebuild. */
static void a_rebuild_after_compaction_finds_each_message_once(void **state)
{
    struct spool_fixture *fixture = *state;
    uint64_t ids[N_MESSAGES];
    struct rebuild_result result;

    fill_sparsely(fixture, ids);
    (void)wait_for_segments(fixture, 3);
    fixture_stop(fixture);
    assert_int_equal(spool_rebuild(&fixture->settings, &result), 0);
    assert_int_equal(result.n_messages, N_MESSAGES / KEPT_EVERY);
    assert_int_equal(result.n_recipients, N_MESSAGES / KEPT_EVERY);
}

int main(void)
{
#define COMPACTION_TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        COMPACTION_TEST(sparse_segments_are_emptied_and_every_message_stays),
        COMPACTION_TEST(a_leased_message_may_be_moved_and_its_old_bytes_stay),
        COMPACTION_TEST(a_rebuild_after_compaction_finds_each_message_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
