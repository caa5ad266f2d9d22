/* A message opened for work: a transaction and the storing of its outcome share one letter, so each
 * must get its own answer, whoever asks while the other waits. */
#include "test/support/test_support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"
#include "relay/delivery/letter.h"
#include "relay/spool/queue_id.h"

enum { PATIENCE_MS = 20000, MOST_ANSWERS = 8 };

struct scene {
    char dir[64];
    struct loop *loop;
    struct delivery delivery;
    struct delivery_shard shard;
    struct stored *stored; /* set by the spool thread, before the receipt */
    struct letter *letter;
    struct timer patience;
    struct spool_append append;
    unsigned n_wanted;
    unsigned n_answers;
    const char *answered[MOST_ANSWERS];
};

static struct scene scene;

static void on_committed(void *owner, struct stored *stored, const struct envelope *envelope)
{
    (void)owner, (void)envelope;
    scene.stored = stored;
}

static void give_up(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void on_appended(struct spool_append *append)
{
    (void)append;
    loop_stop(scene.loop);
}

static void store_one(void)
{
    struct recipient recipient = {.address = SLICE_LITERAL("ann@dest.example")};
    struct slice piece = SLICE_LITERAL("Subject: hello\r\n\r\nBody\r\n");
    struct envelope envelope = {
        .id = queue_id_new(),
        .arrived_utc_ms = clock_utc_ms(),
        .expires_utc_ms = clock_utc_ms() + 3600000,
        .sender = SLICE_LITERAL("news@shop.example"),
        .n_recipients = 1,
        .recipients = &recipient,
    };

    scene.append = (struct spool_append){.answer_to = loop_mailbox(scene.loop),
                                         .done = on_appended,
                                         .envelope = &envelope,
                                         .header_bytes = 18,
                                         .pieces = &piece,
                                         .n_pieces = 1};
    assert_true(spool_append(scene.delivery.spool, &scene.append));
    loop_run(scene.loop);
    assert_int_equal(scene.append.result, 0);
}

static int set_up(void **state)
{
    struct spool_settings settings = {
        .dir = scene.dir,
        .segment_bytes = 1 << 20,
        .min_free_bytes = 1 << 20,
        .min_free_inodes_percent = 1,
        .reserve_bytes = 1 << 16,
        .callbacks = {.on_committed = on_committed},
    };

    (void)state;
    scene = (struct scene){.dir = "/tmp/letter-test.XXXXXX"};
    assert_int_equal(secret_start(), 0);
    assert_non_null(mkdtemp(scene.dir));
    assert_int_equal(loop_new(&scene.loop, 0, 64), 0);
    timer_init(&scene.patience, scene.loop, give_up);
    timer_set(&scene.patience, PATIENCE_MS);
    assert_int_equal(spool_start(&scene.delivery.spool, &settings), 0);
    scene.shard = (struct delivery_shard){.delivery = &scene.delivery, .loop = scene.loop};
    store_one();
    scene.letter = letter_new(&scene.shard, scene.stored);
    assert_non_null(scene.letter);
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
    letter_unref(scene.letter);
    stored_unref(scene.stored);
    spool_stop(scene.delivery.spool);
    timer_fini(&scene.patience);
    loop_free(scene.loop);
    return nftw(scene.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Who asks, by name. */
static char transaction[] = "transaction", outcome[] = "outcome", body[] = "body",
            report[] = "report", first[] = "first", second[] = "second", nested[] = "nested";

static void note(void *owner, int error)
{
    assert_int_equal(error, 0);
    assert_true(scene.n_answers < MOST_ANSWERS);
    scene.answered[scene.n_answers++] = owner;
    if (scene.n_answers == scene.n_wanted)
        loop_stop(scene.loop);
}

static void await(unsigned n)
{
    scene.n_wanted = n;
    loop_run(scene.loop);
    assert_int_equal(scene.n_answers, n);
}

static void two_who_open_at_once_are_both_told(void **state)
{
    (void)state;
    letter_open(scene.letter, note, transaction);
    letter_open(scene.letter, note, outcome);
    await(2);
    assert_string_equal(scene.answered[0], "transaction");
    assert_string_equal(scene.answered[1], "outcome");
    assert_true(scene.letter->is_open);
}

/* The body is on its way into memory when the connection is lost, and the report wants it too. */
static void a_fetch_under_way_is_not_begun_twice(void **state)
{
    (void)state;
    letter_fetch(scene.letter, note, body);
    letter_fetch(scene.letter, note, report);
    letter_open(scene.letter, note, outcome);
    await(3);
    assert_string_equal(scene.answered[0], body);
    assert_string_equal(scene.answered[1], report);
    assert_string_equal(scene.answered[2], "outcome");
}

static void open_then_note(void *owner, int error)
{
    note(owner, error);
    letter_fetch(scene.letter, note, nested);
}

static void who_is_told_may_ask_again(void **state)
{
    (void)state;
    letter_open(scene.letter, open_then_note, first);
    letter_open(scene.letter, note, second);
    await(3);
    assert_string_equal(scene.answered[1], "second");
    assert_string_equal(scene.answered[2], "nested");
}

static int set_up_open(void **state)
{
    set_up(state);
    letter_open(scene.letter, note, first);
    await(1);
    scene.n_answers = 0;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_who_open_at_once_are_both_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fetch_under_way_is_not_begun_twice, set_up_open,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_is_told_may_ask_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
