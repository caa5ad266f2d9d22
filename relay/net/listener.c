#include "relay/net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { ACCEPTS_A_TURN = 8, REST_MS = 200 };

struct listener {
    struct watch watch;
    struct timer rest;
    listener_on_accept *on_accept;
    void *owner;
    bool *was_freed; /* set while on_accept may free us */
};

/* What is about the connection that came, not about us: go on to the next. */
static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
           error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

static int accept_one(int listen_fd, struct socket_address *peer)
{
    int fd;

    peer->len = sizeof(peer->storage);
    fd = accept4(listen_fd, &peer->any, &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && (peer->any.sa_family == AF_INET || peer->any.sa_family == AF_INET6))
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static void set_watch(struct listener *listener, bool is_on)
{
    if (watch_set(&listener->watch, is_on ? WATCH_READ : 0) < 0)
        timer_set(&listener->rest, REST_MS);
}

static void on_ready(struct watch *watch, unsigned what)
{
    struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
    bool was_freed = false;

    (void)what;
    listener->was_freed = &was_freed;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct socket_address peer;
        int fd = accept_one(listener->watch.fd, &peer);

        if (fd >= 0) {
            listener->on_accept(listener->owner, fd, &peer);
            if (was_freed)
                return;
        } else if (errno == EAGAIN) {
            break;
        } else if (!is_passing(errno)) {
            set_watch(listener, false);
            timer_set(&listener->rest, REST_MS);
            break;
        }
    }
    listener->was_freed = NULL;
}

static void on_rested(struct timer *timer)
{
    struct listener *listener = CONTAINER_OF(timer, struct listener, rest);

    set_watch(listener, true);
}

int listener_new(struct listener **out, struct loop *loop, int listen_fd,
                 listener_on_accept *on_accept, void *owner)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    int error;

    if (!listener)
        return FAULT(-ENOMEM);
    listener->on_accept = on_accept;
    listener->owner = owner;
    timer_init(&listener->rest, loop, on_rested);
    error = watch_init(&listener->watch, loop, listen_fd, on_ready);
    if (error == 0)
        error = watch_set(&listener->watch, WATCH_READ);
    if (error < 0) {
        listener_free(listener);
        return error;
    }
    *out = listener;
    return 0;
}

struct listener *listener_free(struct listener *listener)
{
    if (!listener)
        return NULL;
    if (listener->was_freed)
        *listener->was_freed = true;
    timer_fini(&listener->rest);
    watch_fini(&listener->watch);
    free(listener);
    return NULL;
}
