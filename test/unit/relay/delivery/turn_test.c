/* Orders that come while connections are being made: what was picked before is bound by them. */
#include "test/support/test_support.h"

#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/registry_orders.h"
#include "policy/registry_users.h"
#include "relay/base/list.h"
#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nbody\r\n"

enum { MESSAGES = 5, MOST_LOOKS = FIXTURE_PATIENCE_MS / 10, MOST_TRIES = 5 };

struct scene {
    struct smtp_receiver *receiver;
    struct delivery_fixture *fixture;
    char via[32];
    sem_t has_come, may_greet;
};

static const char *greet_late(void *owner, const char *line)
{
    struct scene *scene = owner;

    if (*line == '\0') {
        sem_post(&scene->has_come);
        sem_wait(&scene->may_greet);
    }
    return NULL;
}

/* Each message has a connection, which is not greeted. */
static void begin(struct scene *scene)
{
    static const char *const ann[] = {"ann@dest.example", NULL};
    struct delivery_route route = {.domain = "*", .via = scene->via, .tls = DELIVERY_TLS_NEVER};

    sem_init(&scene->has_come, 0, 0);
    sem_init(&scene->may_greet, 0, 0);
    scene->receiver = receiver_start(greet_late, scene, "PIPELINING");
    snprintf(scene->via, sizeof(scene->via), "127.0.0.1:%u", receiver_port(scene->receiver));
    scene->fixture =
        delivery_fixture_start((struct delivery_settings){.routes = &route, .n_routes = 1});
    for (int i = 0; i < MESSAGES; i++)
        delivery_fixture_send(scene->fixture, &(struct fixture_mail){"", ann, TEXT, 0, 0, 0});
    for (int i = 0; i < MESSAGES; i++)
        sem_wait(&scene->has_come);
}

static void let_in(struct scene *scene, int n)
{
    for (int i = 0; i < n; i++)
        sem_post(&scene->may_greet);
}

static void end(struct scene *scene)
{
    delivery_fixture_stop(scene->fixture);
    let_in(scene, MESSAGES); /* who waits still */
    receiver_stop(scene->receiver);
    sem_destroy(&scene->has_come);
    sem_destroy(&scene->may_greet);
}

static uint32_t n_sending(struct scene *scene)
{
    struct delivery_command all = {.selection = {.is_all = true}, .verb = DELIVERY_COUNT};

    delivery_fixture_command(scene->fixture, &all);
    return (uint32_t)all.n_by_state[ENTRY_SENDING];
}

static bool is_answered;

static void on_answer(struct registry_request *request)
{
    assert_int_equal(request->result, REGISTRY_OK);
    is_answered = true;
}

static struct registry_request request_of(struct scene *scene)
{
    is_answered = false;
    return (struct registry_request){
        .answer_to = scene->fixture->answers, .done = on_answer, .by = SLICE_LITERAL("test")};
}

static void await_registry(struct scene *scene)
{
    while (!is_answered) {
        assert_true(mailbox_wait(scene->fixture->answers, FIXTURE_PATIENCE_MS));
        mailbox_run(scene->fixture->answers);
    }
}

/* The loops know it then: they answer what was asked afterwards. */
static void await_answer(struct scene *scene)
{
    await_registry(scene);
    (void)n_sending(scene);
}

#define TESTER SLICE_LITERAL("news@shop.example")

static uint32_t add_user(struct scene *scene, struct slice name)
{
    struct user_add_request wish = {
        .request = request_of(scene), .name = name, .password = {.source = PASSWORD_NONE}};

    assert_true(registry_user_add(scene->fixture->registry, &wish));
    await_registry(scene);
    return wish.user_id;
}

/* The first: number 1, as the fixture's mail says. */
static void add_tester(struct scene *scene)
{
    assert_int_equal(add_user(scene, TESTER), 1);
}

struct subject {
    enum order_scope scope;
    struct slice name;
};

static struct subject receiver_of(const struct scene *scene)
{
    return (struct subject){ORDER_OF_DESTINATION, slice_of(scene->via)};
}

static const struct subject tester = {ORDER_OF_USER, TESTER};

static void give_order(struct scene *scene, struct subject subject, enum order_action action,
                       uint32_t messages_per_minute)
{
    struct order_request wish = {
        .request = request_of(scene),
        .order = {.scope = subject.scope,
                  .action = action,
                  .name = subject.name,
                  .limits = {.messages_per_minute = messages_per_minute},
                  .reason = SLICE_LITERAL("they asked")},
    };

    assert_true(registry_order(scene->fixture->registry, &wish));
    await_registry(scene);
}

static void order(struct scene *scene, struct subject subject, enum order_action action,
                  uint32_t messages_per_minute)
{
    give_order(scene, subject, action, messages_per_minute);
    (void)n_sending(scene);
}

static void end_orders(struct scene *scene, struct subject subject)
{
    struct order_end_request wish = {
        .request = request_of(scene),
        .scope = subject.scope,
        .name = subject.name,
    };

    assert_true(registry_order_end(scene->fixture->registry, &wish));
    await_answer(scene);
}

/* Nothing waits on a connection. */
static void await_quiet(struct scene *scene)
{
    for (int i = 0; i < MOST_LOOKS && n_sending(scene) > 0; i++)
        usleep(10000);
    assert_int_equal(n_sending(scene), 0);
}

static void await_all(struct scene *scene)
{
    delivery_fixture_await(scene->fixture, EVENT_DELIVERED, NULL, NULL, MESSAGES - 1);
    assert_int_equal(receiver_n_received(scene->receiver), MESSAGES);
    assert_int_equal(delivery_fixture_count(scene->fixture, EVENT_DEFERRED), 0);
}

static void put_off_and_go_on(struct scene *scene, struct subject subject, enum order_action action,
                              unsigned n_may_go)
{
    order(scene, subject, action, action == ORDER_THROTTLE ? 1 : 0);
    let_in(scene, 2 * MESSAGES);
    await_quiet(scene);
    assert_in_range(receiver_n_received(scene->receiver), 0, n_may_go);
    end_orders(scene, subject);
    await_all(scene);
    end(scene);
}

static void what_a_new_limit_puts_off_waits_in_the_schedule_not_on_connections(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    put_off_and_go_on(&scene, receiver_of(&scene), ORDER_THROTTLE, 1);
}

static void what_was_picked_before_a_suspension_is_not_sent(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    put_off_and_go_on(&scene, receiver_of(&scene), ORDER_SUSPEND, 0);
}

static void what_was_picked_before_its_user_was_stopped_or_slowed_is_kept_back(void **state)
{
    static const enum order_action actions[] = {ORDER_SUSPEND, ORDER_THROTTLE};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct scene scene;

        begin(&scene);
        add_tester(&scene);
        put_off_and_go_on(&scene, tester, actions[i], i);
    }
}

/* A loop that does not see what changes meanwhile. */
struct stop {
    struct task task;
    sem_t reached, go_on;
};

static void stand_still(struct task *task)
{
    struct stop *stop = CONTAINER_OF(task, struct stop, task);

    sem_post(&stop->reached);
    sem_wait(&stop->go_on);
}

static void stop_loops(struct scene *scene, struct stop stops[FIXTURE_LOOPS])
{
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        stops[i].task.run = stand_still;
        sem_init(&stops[i].reached, 0, 0);
        sem_init(&stops[i].go_on, 0, 0);
        mailbox_answer(loop_mailbox(scene->fixture->loops[i]), &stops[i].task);
        sem_wait(&stops[i].reached);
    }
}

static void delete_tester(struct scene *scene)
{
    struct user_request wish = {.request = request_of(scene), .name = TESTER};

    assert_true(registry_user_delete(scene->fixture->registry, &wish));
    await_registry(scene);
}

/* All of it seen as one change. */
static void an_order_about_another_of_the_same_name_is_not_about_the_first(void **state)
{
    struct stop stops[FIXTURE_LOOPS];
    struct scene scene;

    (void)state;
    begin(&scene);
    add_tester(&scene);
    assert_int_equal(add_user(&scene, SLICE_LITERAL("other@shop.example")), 2);
    order(&scene, tester, ORDER_THROTTLE, 1);
    let_in(&scene, 2 * MESSAGES);
    await_quiet(&scene);
    stop_loops(&scene, stops);
    delete_tester(&scene);
    assert_int_equal(add_user(&scene, TESTER), 3);
    give_order(&scene, tester, ORDER_THROTTLE, 1);
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        sem_post(&stops[i].go_on);
    await_all(&scene);
    end_orders(&scene, tester);
    end(&scene);
}

/* One leaves at once, the next in about 4 s, unless the machine is that slow. */
static void a_drain_does_not_wait_for_turns(void **state)
{
    unsigned n_received = MESSAGES;

    (void)state;
    for (int i = 0; i < MOST_TRIES && n_received > 1; i++) {
        struct scene scene;

        begin(&scene);
        order(&scene, receiver_of(&scene), ORDER_THROTTLE, 15);
        let_in(&scene, MESSAGES);
        delivery_fixture_await(scene.fixture, EVENT_DELIVERED, NULL, NULL, 0);
        delivery_fixture_stop(scene.fixture);
        n_received = receiver_n_received(scene.receiver);
        receiver_stop(scene.receiver);
    }
    assert_int_equal(n_received, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_new_limit_puts_off_waits_in_the_schedule_not_on_connections),
        cmocka_unit_test(what_was_picked_before_a_suspension_is_not_sent),
        cmocka_unit_test(what_was_picked_before_its_user_was_stopped_or_slowed_is_kept_back),
        cmocka_unit_test(an_order_about_another_of_the_same_name_is_not_about_the_first),
        cmocka_unit_test(a_drain_does_not_wait_for_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
