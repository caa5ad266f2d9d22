#include "test/support/test_support.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "relay/base/list.h"
#include "relay/base/mailbox.h"

enum { N_POSTERS = 4, N_TASKS = 2000, CAPACITY = 16 };

static unsigned n_run;
static struct mailbox *mailbox;

static void count(struct task *task)
{
    n_run++;
    free(task);
}

static void *post_many(void *argument)
{
    for (unsigned i = 0; i < N_TASKS; i++) {
        struct task *task = calloc(1, sizeof(*task));

        task->run = count;
        while (!mailbox_post(mailbox, task))
            sched_yield(); /* full: what a session does by not reading its socket */
    }
    return argument;
}

static void every_task_of_every_thread_runs_once(void **state)
{
    pthread_t threads[N_POSTERS];

    (void)state;
    n_run = 0;
    assert_int_equal(mailbox_new(&mailbox, CAPACITY), 0);
    for (unsigned i = 0; i < N_POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, NULL);
    while (n_run < N_POSTERS * N_TASKS) {
        assert_true(mailbox_wait(mailbox, 10000));
        mailbox_run(mailbox);
    }
    for (unsigned i = 0; i < N_POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(mailbox_wait(mailbox, 0));
    mailbox_free(mailbox);
}

static void a_full_mailbox_refuses_requests_but_no_answers(void **state)
{
    struct task tasks[4] = {{0}};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 2), 0);
    assert_true(mailbox_post(mailbox, &tasks[0]));
    assert_true(mailbox_post(mailbox, &tasks[1]));
    assert_false(mailbox_post(mailbox, &tasks[2]));
    mailbox_answer(mailbox, &tasks[3]);
    assert_ptr_equal(mailbox_take(mailbox), &tasks[0]);
    assert_ptr_equal(tasks[0].next, &tasks[1]);
    assert_ptr_equal(tasks[1].next, &tasks[3]);
    mailbox_free(mailbox);
}

struct again {
    struct task task;
    unsigned n_run;
};

static void post_again(struct task *task)
{
    CONTAINER_OF(task, struct again, task)->n_run++;
    mailbox_answer(mailbox, task);
}

static void a_task_that_posts_itself_waits_for_the_next_turn(void **state)
{
    struct again again = {.task = {.run = post_again}};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 2), 0);
    mailbox_answer(mailbox, &again.task);
    assert_int_equal(mailbox_run(mailbox), 1);
    assert_int_equal(again.n_run, 1);
    assert_int_equal(mailbox_run(mailbox), 1);
    assert_int_equal(again.n_run, 2);
    mailbox_free(mailbox);
}

static bool is_readable(void)
{
    struct pollfd poll_fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void the_descriptor_tells_of_tasks_that_came_before_it_was_asked_for(void **state)
{
    struct task task = {0};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 2), 0);
    mailbox_answer(mailbox, &task);
    assert_true(is_readable());
    assert_ptr_equal(mailbox_take(mailbox), &task);
    assert_false(is_readable());
    mailbox_answer(mailbox, &task);
    assert_true(is_readable());
    mailbox_free(mailbox);
}

static void an_owner_that_looks_is_told_only_while_it_sleeps(void **state)
{
    struct task tasks[2] = {{0}};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 2), 0);
    mailbox_look_before_sleep(mailbox);
    assert_false(is_readable());
    assert_null(mailbox_take(mailbox)); /* it is awake now */
    mailbox_answer(mailbox, &tasks[0]);
    assert_false(is_readable());
    assert_false(mailbox_may_sleep(mailbox));
    assert_ptr_equal(mailbox_take(mailbox), &tasks[0]);
    assert_true(mailbox_may_sleep(mailbox));
    mailbox_answer(mailbox, &tasks[1]);
    assert_true(is_readable());
    assert_ptr_equal(mailbox_take(mailbox), &tasks[1]);
    assert_false(is_readable());
    mailbox_free(mailbox);
}

/* As a loop does it: asleep in poll(), awake only when told, and at the end nothing tells any more.
 */
static void a_sleeper_misses_no_task_and_is_told_of_none_twice(void **state)
{
    pthread_t threads[N_POSTERS];
    struct pollfd sleeper = {.events = POLLIN};

    (void)state;
    n_run = 0;
    assert_int_equal(mailbox_new(&mailbox, CAPACITY), 0);
    mailbox_look_before_sleep(mailbox);
    sleeper.fd = mailbox_fd(mailbox);
    for (unsigned i = 0; i < N_POSTERS; i++)
        pthread_create(&threads[i], NULL, post_many, NULL);
    while (n_run < N_POSTERS * N_TASKS) {
        assert_int_equal(poll(&sleeper, 1, mailbox_may_sleep(mailbox) ? 10000 : 0) < 0, false);
        mailbox_run(mailbox);
    }
    for (unsigned i = 0; i < N_POSTERS; i++)
        pthread_join(threads[i], NULL);
    mailbox_run(mailbox); /* what was told late */
    assert_int_equal(poll(&sleeper, 1, 0), 0);
    mailbox_free(mailbox);
}

static void note(struct task *task)
{
    (void)task;
    n_run++;
}

static void *answer_one(void *argument)
{
    mailbox_answer(mailbox, argument);
    return NULL;
}

/* Whoever has the answer may free the mailbox: the answerer is through with it. */
static void a_mailbox_goes_with_its_last_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        struct task task = {.run = note};
        pthread_t thread;

        n_run = 0;
        assert_int_equal(mailbox_new(&mailbox, 1), 0);
        assert_true(mailbox_fd(mailbox) >= 0);
        pthread_create(&thread, NULL, answer_one, &task);
        while (!n_run)
            mailbox_run(mailbox);
        mailbox_free(mailbox);
        pthread_join(thread, NULL);
    }
}

static void quiet_tasks_alone_wake_nobody_who_dozes(void **state)
{
    struct task tasks[3] = {{0}};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 1), 0);
    mailbox_answer_quietly(mailbox, &tasks[0]);
    mailbox_answer_quietly(mailbox, &tasks[1]); /* bounded elsewhere, as answers are */
    assert_false(mailbox_doze(mailbox, 0));
    assert_true(mailbox_wait(mailbox, 0));
    mailbox_answer(mailbox, &tasks[2]);
    assert_true(mailbox_doze(mailbox, 0));
    assert_ptr_equal(mailbox_take(mailbox), &tasks[0]);
    assert_ptr_equal(tasks[1].next, &tasks[2]);
    mailbox_answer_quietly(mailbox, &tasks[0]);
    assert_false(mailbox_doze(mailbox, 0)); /* what pressed has been taken */
    mailbox_free(mailbox);
}

static void only_a_call_ends_a_sleep(void **state)
{
    struct task tasks[3] = {{0}};

    (void)state;
    assert_int_equal(mailbox_new(&mailbox, 1), 0);
    mailbox_answer_quietly(mailbox, &tasks[0]);
    assert_false(mailbox_post(mailbox, &tasks[1])); /* full */
    mailbox_answer(mailbox, &tasks[1]);
    assert_false(mailbox_sleep(mailbox, 0));
    assert_true(mailbox_doze(mailbox, 0));
    mailbox_call(mailbox, &tasks[2]);
    assert_true(mailbox_sleep(mailbox, 0));
    assert_ptr_equal(mailbox_take(mailbox), &tasks[0]);
    assert_false(mailbox_sleep(mailbox, 0));
    mailbox_free(mailbox);
}

static struct task quiet, pressing;
static atomic_bool is_quiet_posted;

static void *post_both(void *argument)
{
    mailbox_answer_quietly(mailbox, &quiet);
    atomic_store(&is_quiet_posted, true);
    mailbox_answer(mailbox, &pressing);
    return argument;
}

static void *post_and_call(void *argument)
{
    mailbox_answer_quietly(mailbox, &quiet);
    atomic_store(&is_quiet_posted, true);
    mailbox_call(mailbox, &pressing);
    return argument;
}

static void sleep_through_the_quiet_one(void *(*post)(void *), bool (*sleep)(struct mailbox *, int))
{
    pthread_t thread;

    atomic_store(&is_quiet_posted, false);
    assert_int_equal(mailbox_new(&mailbox, 1), 0);
    pthread_create(&thread, NULL, post, NULL);
    assert_true(sleep(mailbox, -1));
    assert_true(atomic_load(&is_quiet_posted));
    assert_ptr_equal(mailbox_take(mailbox), &quiet);
    pthread_join(thread, NULL);
    mailbox_free(mailbox);
}

/* Whether it sleeps already when they come, or only then begins to. */
static void one_that_is_not_quiet_ends_a_doze(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        sleep_through_the_quiet_one(post_both, mailbox_doze);
}

static void a_call_ends_a_sleep_over_what_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        sleep_through_the_quiet_one(post_and_call, mailbox_sleep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_of_every_thread_runs_once),
        cmocka_unit_test(a_full_mailbox_refuses_requests_but_no_answers),
        cmocka_unit_test(a_task_that_posts_itself_waits_for_the_next_turn),
        cmocka_unit_test(the_descriptor_tells_of_tasks_that_came_before_it_was_asked_for),
        cmocka_unit_test(an_owner_that_looks_is_told_only_while_it_sleeps),
        cmocka_unit_test(a_sleeper_misses_no_task_and_is_told_of_none_twice),
        cmocka_unit_test(a_mailbox_goes_with_its_last_answer),
        cmocka_unit_test(quiet_tasks_alone_wake_nobody_who_dozes),
        cmocka_unit_test(only_a_call_ends_a_sleep),
        cmocka_unit_test(one_that_is_not_quiet_ends_a_doze),
        cmocka_unit_test(a_call_ends_a_sleep_over_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
