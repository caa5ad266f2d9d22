#include "signer/signing_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "relay/base/event.h"
#include "relay/base/thread.h"

struct worker {
    struct signing_pool *pool;
    struct service_desk *desk;
    struct batch batch;
    pthread_t thread;
};

struct signing_pool {
    int epoll_fd;
    int stop_fd;  /* readable for ever once the workers are to end */
    int ended_fd; /* readable when a channel has ended */
    unsigned n_workers;
    struct worker *workers;
    /* Set by the main thread, emptied by the worker that sees a channel end. */
    _Atomic(struct signer_connection *) connections[POOL_MAX_CONNECTIONS];
};

static int listen_again(const struct signing_pool *pool, struct signer_connection *connection,
                        int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};

    atomic_fetch_add_explicit(&connection->n_turns, 1, memory_order_release);
    return epoll_ctl(pool->epoll_fd, operation, connection->fd, &event) == 0 ? 0 : FAULT(-errno);
}

/* By the worker that has the reading side; others may still answer over it. */
static void close_connection(struct signing_pool *pool, struct signer_connection *connection)
{
    atomic_store(&pool->connections[connection->place], NULL);
    epoll_ctl(pool->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    eventfd_write(pool->ended_fd, 1);
    signer_connection_unref(connection);
}

static void answer(struct worker *worker, struct signer_connection *connection)
{
    signer_connection_ref(connection);
    if (listen_again(worker->pool, connection, EPOLL_CTL_MOD))
        close_connection(worker->pool, connection);
    batch_answer(&worker->batch, worker->desk, connection);
    signer_connection_unref(connection);
}

static void serve(struct worker *worker, struct signer_connection *connection)
{
    int result;

    atomic_load_explicit(&connection->n_turns, memory_order_acquire);
    result = channel_receive(connection->fd, &worker->batch.message);
    if (result == -EAGAIN)
        result = listen_again(worker->pool, connection, EPOLL_CTL_MOD);
    else if (result == 1)
        result = batch_read(&worker->batch, connection) == 0 ? 1 : -EBADMSG;
    else if (result == 0)
        result = -EPIPE;
    if (result == -EBADMSG)
        EVENT(EVENT_SIGNER_MISUSED, field_text("reason", "malformed request"));
    if (result == 1)
        answer(worker, connection);
    else if (result != 0)
        close_connection(worker->pool, connection);
    batch_fini(&worker->batch);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct epoll_event event;

    for (;;) {
        int n_ready = epoll_wait(worker->pool->epoll_fd, &event, 1, -1);

        if (n_ready == 1 && event.data.ptr == NULL)
            return NULL;
        if (n_ready == 1)
            serve(worker, event.data.ptr);
    }
}

static unsigned count_cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static int start_worker(struct signing_pool *pool, const struct signer_service *service)
{
    struct worker *worker = &pool->workers[pool->n_workers];
    int error;

    worker->pool = pool;
    error = service_desk_new(&worker->desk, service);
    if (!error)
        error = thread_start(&worker->thread, "sign", run_worker, worker);
    if (error)
        worker->desk = service_desk_free(worker->desk);
    else
        pool->n_workers++;
    return error;
}

static int open_descriptors(struct signing_pool *pool)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = NULL};

    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC); /* all are set, also when one fails */
    pool->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pool->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->epoll_fd < 0 || pool->stop_fd < 0 || pool->ended_fd < 0 ||
        epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, pool->stop_fd, &stop) != 0)
        return FAULT(-errno);
    return 0;
}

int signing_pool_start(struct signing_pool **out, const struct signer_service *service,
                       unsigned n_workers)
{
    struct signing_pool *pool = calloc(1, sizeof(*pool));
    unsigned n_wanted = n_workers ? n_workers : count_cores();
    int error;

    if (n_wanted > POOL_MAX_WORKERS)
        n_wanted = POOL_MAX_WORKERS;
    if (pool)
        pool->workers = calloc(n_wanted, sizeof(pool->workers[0]));
    if (!pool || !pool->workers) {
        free(pool);
        return FAULT(-ENOMEM);
    }
    error = open_descriptors(pool);
    for (unsigned i = 0; !error && i < n_wanted; i++)
        error = start_worker(pool, service);
    if (error) {
        signing_pool_stop(pool);
        return error;
    }
    *out = pool;
    return 0;
}

static int find_place(struct signing_pool *pool, struct signer_connection *connection)
{
    for (unsigned i = 0; i < POOL_MAX_CONNECTIONS; i++) {
        struct signer_connection *nobody = NULL;

        connection->place = i; /* before a worker can see it */
        if (atomic_compare_exchange_strong(&pool->connections[i], &nobody, connection))
            return 0;
    }
    return FAULT(-EMFILE);
}

int signing_pool_add(struct signing_pool *pool, int fd)
{
    struct signer_connection *connection = signer_connection_new(fd);
    int error;

    if (!connection)
        return FAULT(-ENOMEM);
    error = fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : FAULT(-errno);
    if (!error)
        error = find_place(pool, connection);
    if (error) {
        signer_connection_unref(connection);
        return error;
    }
    error = listen_again(pool, connection, EPOLL_CTL_ADD);
    if (error)
        close_connection(pool, connection);
    return error;
}

int signing_pool_fd(const struct signing_pool *pool)
{
    return pool->ended_fd;
}

bool signing_pool_is_empty(struct signing_pool *pool)
{
    eventfd_t ignored;

    eventfd_read(pool->ended_fd, &ignored);
    for (unsigned i = 0; i < POOL_MAX_CONNECTIONS; i++)
        if (atomic_load(&pool->connections[i]))
            return false;
    return true;
}

struct signing_pool *signing_pool_stop(struct signing_pool *pool)
{
    if (!pool)
        return NULL;
    if (pool->stop_fd >= 0)
        eventfd_write(pool->stop_fd, 1);
    for (unsigned i = 0; i < pool->n_workers; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        service_desk_free(pool->workers[i].desk);
    }
    for (unsigned i = 0; i < POOL_MAX_CONNECTIONS; i++)
        signer_connection_unref(atomic_load(&pool->connections[i]));
    close_fd_cleanup(&pool->epoll_fd);
    close_fd_cleanup(&pool->stop_fd);
    close_fd_cleanup(&pool->ended_fd);
    free(pool->workers);
    free(pool);
    return NULL;
}
