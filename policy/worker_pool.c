#include "policy/worker_pool.h"

#include <errno.h>

#include "relay/base/thread.h"

enum { MOST_THREADS = 16 };

/* A mailbox that several threads empty; hence a lock of its own beside base/mailbox.c. */
struct worker_pool {
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct task *first, **last;
    uint32_t n_waiting, queue_length;
    bool is_stopping;
    unsigned n_threads;
    pthread_t threads[MOST_THREADS];
};

static void run_done(struct task *task)
{
    struct job *job = (struct job *)(void *)task;

    job->done(job);
}

static void answer(struct job *job)
{
    job->task.run = run_done;
    mailbox_answer(job->answer_to, &job->task);
}

/* Under the lock. */
static struct job *take_job(struct worker_pool *pool)
{
    struct task *task = pool->first;

    pool->first = task->next;
    if (!pool->first)
        pool->last = &pool->first;
    pool->n_waiting--;
    return (struct job *)(void *)task;
}

/* The next job, or NULL when the pool stops and none waits. */
static struct job *next_job(struct worker_pool *pool, bool *is_stopping)
{
    struct job *job = NULL;

    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->is_stopping)
        pthread_cond_wait(&pool->has_work, &pool->lock);
    if (pool->first)
        job = take_job(pool);
    *is_stopping = pool->is_stopping;
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *work(void *argument)
{
    struct worker_pool *pool = argument;
    struct job *job;
    bool is_stopping;

    while ((job = next_job(pool, &is_stopping))) {
        job->was_cancelled = is_stopping;
        if (!is_stopping)
            job->work(job);
        answer(job);
    }
    return NULL;
}

int worker_pool_start(struct worker_pool **out, unsigned n_threads, uint32_t queue_length)
{
    struct worker_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return FAULT(-ENOMEM);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->has_work, NULL);
    pool->last = &pool->first;
    pool->queue_length = queue_length;
    while (pool->n_threads < n_threads && pool->n_threads < MOST_THREADS) {
        int error = thread_start(&pool->threads[pool->n_threads], "worker", work, pool);

        if (error) {
            worker_pool_stop(pool);
            return error;
        }
        pool->n_threads++;
    }
    *out = pool;
    return 0;
}

struct worker_pool *worker_pool_stop(struct worker_pool *pool)
{
    if (!pool)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    return NULL;
}

bool worker_pool_submit(struct worker_pool *pool, struct job *job)
{
    bool has_room;

    job->was_cancelled = false;
    pthread_mutex_lock(&pool->lock);
    has_room = pool->n_waiting < pool->queue_length && !pool->is_stopping;
    if (has_room) {
        job->task.next = NULL;
        *pool->last = &job->task;
        pool->last = &job->task.next;
        pool->n_waiting++;
        pthread_cond_signal(&pool->has_work);
    }
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}
