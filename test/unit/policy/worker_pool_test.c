#include "test/support/test_support.h"

#include <pthread.h>

#include "policy/worker_pool.h"

enum { N_JOBS = 200 };

struct counted_job {
    struct job job;
    int n_worked, n_done;
    bool was_cancelled;
};

static struct mailbox *home;
static int n_done;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int set_up(void **state)
{
    (void)state;
    n_done = 0;
    return mailbox_new(&home, 1);
}

static int tear_down(void **state)
{
    (void)state;
    home = mailbox_free(home);
    return 0;
}

static void count_work(struct job *job)
{
    ((struct counted_job *)(void *)job)->n_worked++;
}

static void wait_at_gate(struct job *job)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    count_work(job);
}

static void count_done(struct job *job)
{
    struct counted_job *counted = (struct counted_job *)(void *)job;

    counted->n_done++;
    counted->was_cancelled = job->was_cancelled;
    n_done++;
}

static void prepare(struct counted_job *job, void (*work)(struct job *job))
{
    *job = (struct counted_job){
        .job = {.answer_to = home, .work = work, .done = count_done}
    };
}

static void wait_for(int n)
{
    while (n_done < n) {
        assert_true(mailbox_wait(home, 10000));
        mailbox_run(home);
    }
}

static void every_job_is_done_once(void **state)
{
    static struct counted_job jobs[N_JOBS];
    struct worker_pool *pool;

    (void)state;
    assert_int_equal(worker_pool_start(&pool, 3, N_JOBS), 0);
    for (int i = 0; i < N_JOBS; i++) {
        prepare(&jobs[i], count_work);
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    }
    wait_for(N_JOBS);
    for (int i = 0; i < N_JOBS; i++) {
        assert_int_equal(jobs[i].n_worked, 1);
        assert_int_equal(jobs[i].n_done, 1);
        assert_false(jobs[i].was_cancelled);
    }
    worker_pool_stop(pool);
}

static void a_full_queue_refuses(void **state)
{
    struct counted_job jobs[8];
    struct worker_pool *pool;
    int n_taken = 0;

    (void)state;
    assert_int_equal(worker_pool_start(&pool, 1, 2), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 8; i++) {
        prepare(&jobs[i], wait_at_gate);
        n_taken += worker_pool_submit(pool, &jobs[i].job);
    }
    assert_in_range(n_taken, 2, 3); /* two wait, and perhaps one is at work */
    pthread_mutex_unlock(&gate);
    wait_for(n_taken);
    worker_pool_stop(pool);
    assert_int_equal(n_done, n_taken);
}

static void stopping_answers_what_waits(void **state)
{
    struct counted_job jobs[4];
    struct worker_pool *pool;
    int n_worked = 0, n_cancelled = 0;

    (void)state;
    assert_int_equal(worker_pool_start(&pool, 1, 4), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) {
        prepare(&jobs[i], wait_at_gate);
        assert_true(worker_pool_submit(pool, &jobs[i].job));
    }
    pthread_mutex_unlock(&gate);
    worker_pool_stop(pool);
    mailbox_run(home);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(jobs[i].n_done, 1);
        n_worked += jobs[i].n_worked;
        n_cancelled += jobs[i].was_cancelled;
    }
    assert_int_equal(n_worked + n_cancelled, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(every_job_is_done_once),
        TEST(a_full_queue_refuses),
        TEST(stopping_answers_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
