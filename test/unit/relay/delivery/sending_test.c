/* What is being sent is told whole, though some of it ends while the loop is walked through. */
#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "relay/delivery/operate.h"
#include "relay/delivery/shard.h"
#include "relay/delivery/visit.h"
#include "test/support/schedule_bench.h"

enum { PAIR_BYTES = 12, SLICES = 3 };

/* Each look is a millisecond later: a slice ends after one step. */
int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void)
{
    static int64_t now_ms = START_MS;

    return ++now_ms;
}

struct scene {
    struct bench *bench;
    struct loop *loop;
    struct delivery_shard shard;
    struct delivery delivery;
    struct delivery_sending request;
    struct task turn;
    bool has_ended, is_done;
};

static void nothing(struct later *later)
{
    (void)later;
}

static void begin(struct scene *scene, struct bench *bench)
{
    *scene = (struct scene){.bench = bench};
    assert_int_equal(loop_new(&scene->loop, 0, 16), 0);
    scene->shard = (struct delivery_shard){
        .delivery = &scene->delivery, .loop = scene->loop, .schedule = bench->schedule};
    later_init(&scene->shard.pump, scene->loop, nothing);
    list_init(&scene->shard.parked_domains);
    list_init(&scene->shard.wanted_domains);
    scene->delivery = (struct delivery){.shards = &scene->shard, .n_shards = 1};
    list_init(&scene->delivery.visits);
}

static void end(struct scene *scene)
{
    mailbox_run(loop_mailbox(scene->loop)); /* the visit's own end */
    later_cancel(&scene->shard.pump);
    loop_free(scene->loop);
    buffer_fini(&scene->request.pairs);
}

static void on_done(struct delivery_sending *request)
{
    struct scene *scene = CONTAINER_OF(request, struct scene, request);

    scene->is_done = true;
    loop_stop(scene->loop);
}

/* Once a turn: the one picked last ends as soon as it was seen. */
static void on_turn(struct task *task)
{
    struct scene *scene = CONTAINER_OF(task, struct scene, turn);

    if (scene->is_done)
        return;
    if (!scene->has_ended && scene->request.pairs.len > 0) {
        scene->has_ended = true;
        deliver(scene->bench);
    }
    loop_defer(scene->loop, task);
}

static void walk(struct scene *scene)
{
    scene->request.done = on_done;
    scene->request.answer_to = loop_mailbox(scene->loop);
    scene->turn.run = on_turn;
    assert_true(delivery_sending(&scene->delivery, &scene->request));
    loop_defer(scene->loop, &scene->turn);
    loop_run(scene->loop);
}

static void what_ends_meanwhile_hides_nothing(void **state)
{
    struct bench *bench = *state;
    struct site *site = make_site(bench, "mx", plain_limits(5));
    struct scene scene;
    uint64_t last_id;

    begin(&scene, bench);
    admit(bench, "first.example", 1, CLASS_BULK, 1);
    admit(bench, "waiting.example", 1, CLASS_BULK, SLICES * VISIT_STEPS); /* nobody leads it */
    last_id = admit(bench, "last.example", 1, CLASS_BULK, 1)->id;
    assert_int_equal(bench->n_wanted, 3);
    schedule_route(bench->schedule, bench->wanted[2], site, INT64_MAX);
    assert_true(next_pick(bench));
    schedule_route(bench->schedule, bench->wanted[0], site, INT64_MAX);
    assert_true(next_pick(bench));
    assert_int_equal(bench->schedule->n_states[ENTRY_SENDING], 2);
    walk(&scene);
    assert_true(scene.has_ended);
    assert_int_equal(bench->schedule->n_states[ENTRY_SENDING], 1);
    assert_int_equal(scene.request.pairs.len, 2 * PAIR_BYTES);
    assert_memory_equal(scene.request.pairs.data + PAIR_BYTES, &last_id, sizeof(last_id));
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_ends_meanwhile_hides_nothing, bench_set_up,
                                        bench_tear_down),
    };

    if (secret_start())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
