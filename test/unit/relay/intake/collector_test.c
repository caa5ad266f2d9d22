/* A message on its way in over a real spool: what is dropped leaves nothing behind. */
#include "test/support/test_support.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/intake/collector.h"
#include "relay/net/loop.h"

enum { PATIENCE_MS = 20000, CHUNK_BYTES = 60000 };

struct scene {
    char dir[64];
    struct loop *loop;
    struct spool *spool;
    struct timer patience;
    struct message_memory memory;
    struct collector_owner owner;
    struct collector collector;
    bool is_written;
};

static struct scene scene;

static void give_up(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void add_trace(void *owner, struct buffer *out)
{
    (void)owner;
    buffer_append_text(out, "Received: by relay.example\r\n");
}

static void on_written(void *owner)
{
    (void)owner;
    scene.is_written = true;
    loop_stop(scene.loop);
}

static int set_up(void **state)
{
    struct spool_settings settings = {.dir = scene.dir,
                                      .segment_bytes = 1 << 20,
                                      .min_free_bytes = 1 << 20,
                                      .min_free_inodes_percent = 1,
                                      .reserve_bytes = 1 << 16};

    (void)state;
    scene = (struct scene){.dir = "/tmp/collector-test.XXXXXX"};
    assert_int_equal(secret_start(), 0);
    assert_non_null(mkdtemp(scene.dir));
    assert_int_equal(loop_new(&scene.loop, 0, 64), 0);
    timer_init(&scene.patience, scene.loop, give_up);
    timer_set(&scene.patience, PATIENCE_MS);
    assert_int_equal(spool_start(&scene.spool, &settings), 0);
    atomic_store(&scene.memory.limit, 1 << 24);
    scene.owner = (struct collector_owner){NULL, add_trace, on_written, "relay.example"};
    collector_begin(&scene.collector, &scene.owner, scene.spool, loop_mailbox(scene.loop),
                    &scene.memory);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    timer_fini(&scene.patience);
    spool_stop(scene.spool);
    loop_free(scene.loop);
    return nftw(scene.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void await_written(void)
{
    scene.is_written = false;
    loop_run(scene.loop);
    assert_true(scene.is_written);
}

static void add(struct slice chunk)
{
    if (!collector_add(&scene.collector, chunk))
        await_written();
}

static void add_long_message(void)
{
    static char chunk[CHUNK_BYTES];

    memset(chunk, 'x', sizeof(chunk));
    chunk[sizeof(chunk) - 2] = '\r';
    chunk[sizeof(chunk) - 1] = '\n';
    add(SLICE_LITERAL("From: <news@shop.example>\r\nSubject: long\r\n\r\n"));
    for (int i = 0; i < 8; i++)
        add(slice_from(chunk, sizeof(chunk)));
    assert_non_null(scene.collector.large);
    assert_true(atomic_load(&scene.memory.used) > 0);
}

static unsigned count_long_files(void)
{
    char path[96];
    unsigned n = 0;
    DIR *folder;
    const struct dirent *entry;

    snprintf(path, sizeof(path), "%s/large", scene.dir);
    folder = opendir(path);
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

/* The session goes on with its next message, which begins with a collector of its own. */
static void a_dropped_long_message_gives_back_memory_and_file(void **state)
{
    (void)state;
    add_long_message();
    assert_int_equal(count_long_files(), 1);
    assert_false(collector_drop(&scene.collector));
    await_written();
    assert_false(scene.collector.is_open);
    assert_int_equal(atomic_load(&scene.memory.used), 0);
    assert_int_equal(count_long_files(), 0);
    assert_true(collector_drop(&scene.collector));
}

static void a_dropped_short_message_is_gone_at_once(void **state)
{
    (void)state;
    add(SLICE_LITERAL("From: <news@shop.example>\r\n\r\nshort\r\n"));
    assert_true(atomic_load(&scene.memory.used) > 0);
    assert_true(collector_drop(&scene.collector));
    assert_int_equal(atomic_load(&scene.memory.used), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dropped_long_message_gives_back_memory_and_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_dropped_short_message_is_gone_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
