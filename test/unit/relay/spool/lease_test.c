/* Readers on other threads, while messages end, segments are used again and compaction moves what
 * is left: a leased view shows its own message's bytes, or the lease is refused. */
#include "test/support/test_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/spool/queue_id.h"
#include "test/support/spool_fixture.h"

enum { N_READERS = 3, N_MESSAGES = 600, BODY_BYTES = 9000, N_OPEN = 16 };

static struct spool_fixture *fixture;
static struct stored *_Atomic open_messages[N_OPEN]; /* references of the test's */
static atomic_bool is_over;
static atomic_uint n_read, n_wrong;

/* Every line of a message names it. */
static void fill_body(char body[BODY_BYTES + 1], uint64_t id)
{
    size_t used = 0;

    while (used + 20 < BODY_BYTES)
        used += (size_t)snprintf(body + used, BODY_BYTES + 1 - used, "%016lx\r\n", (long)id);
}

static bool shows(const struct spool_view *view, uint64_t id)
{
    char seen[BODY_BYTES + 64], wanted[BODY_BYTES + 1];
    ssize_t length = pread(view->fd, seen, sizeof(seen) - 1, (off_t)view->offset);

    fill_body(wanted, id);
    if (length < (ssize_t)view->length)
        return false;
    return memcmp(seen + 14, wanted, view->length - 14) == 0;
}

static void *read_messages(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;

    while (!atomic_load(&is_over)) {
        unsigned i = (unsigned)rand_r(&seed) % N_OPEN;
        struct stored *stored = atomic_load(&open_messages[i]);
        struct spool_view view;

        if (!stored || spool_lease(fixture->spool, stored, &view))
            continue;
        if (!shows(&view, stored->id))
            atomic_fetch_add(&n_wrong, 1);
        atomic_fetch_add(&n_read, 1);
        spool_release(fixture->spool, &view);
    }
    return NULL;
}

static void add_message(unsigned i)
{
    char body[BODY_BYTES + 1];
    uint64_t id = queue_id_new();

    fill_body(body, id);
    assert_int_equal(fixture_append(fixture, id, body, 1), 0);
    atomic_store(&open_messages[i],
                 fixture_find(fixture, id)); /* the fixture holds it to the end */
}

static void readers_see_their_message_or_nothing(void **state)
{
    pthread_t readers[N_READERS];

    (void)state;
    fixture = fixture_new();
    fixture->settings.segment_bytes = 1 << 17;
    assert_int_equal(fixture_start(fixture), 0);
    for (unsigned i = 0; i < N_OPEN; i++)
        add_message(i);
    for (uintptr_t i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_messages, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < N_MESSAGES; i++) {
        unsigned victim = i % 7 ? i % 4 : i % N_OPEN; /* some stay long, and are moved */
        const struct stored *old = atomic_load(&open_messages[victim]);

        assert_int_equal(fixture_finish(fixture, old->id, 1, NULL), 0);
        add_message(victim);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&n_wrong), 0);
    assert_true(atomic_load(&n_read) > N_OPEN);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_see_their_message_or_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
