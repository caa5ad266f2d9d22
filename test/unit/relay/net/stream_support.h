/* Two ends of a connection in one loop, with everything that happens to each written down. */
#pragma once

#include "test/support/test_support.h"

#include <sys/socket.h>
#include <unistd.h>

#include "relay/base/buffer.h"
#include "relay/base/secret.h"
#include "relay/net/stream.h"

struct peer {
    struct stream *stream;
    struct buffer received;
    unsigned n_inputs, n_drained, n_secured, n_connected, n_ends;
    enum stream_end end;
    char detail[200];
    bool keeps_input;                /* leaves what comes in the stream */
    void (*then)(struct peer *peer); /* run at the end of on_input, on_secured and on_connected */
};

static struct loop *loop;
static struct peer left, right;
static struct timer guard;

static void after(struct peer *peer)
{
    loop_stop(loop);
    if (peer->then)
        peer->then(peer);
}

static void peer_on_input(void *owner)
{
    struct peer *peer = owner;
    struct slice input = stream_input(peer->stream);

    peer->n_inputs++;
    if (!peer->keeps_input) {
        buffer_append(&peer->received, input);
        stream_consume(peer->stream, input.len);
    }
    after(peer);
}

static void peer_on_drained(void *owner)
{
    ((struct peer *)owner)->n_drained++;
    loop_stop(loop);
}

static void peer_on_secured(void *owner)
{
    ((struct peer *)owner)->n_secured++;
    after(owner);
}

static void peer_on_connected(void *owner)
{
    ((struct peer *)owner)->n_connected++;
    after(owner);
}

static void peer_on_end(void *owner, enum stream_end why, const char *detail)
{
    struct peer *peer = owner;

    peer->n_ends++;
    peer->end = why;
    slice_copy_to(slice_of(detail), peer->detail, sizeof(peer->detail));
    loop_stop(loop);
}

static const struct stream_handlers peer_handlers = {peer_on_connected, peer_on_input,
                                                     peer_on_drained, peer_on_secured, peer_on_end};

static void on_guard(struct timer *timer)
{
    (void)timer;
    fail_msg("waited 10 s in vain");
}

#define RUN_UNTIL(condition)                                                                       \
    while (!(condition))                                                                           \
    loop_run(loop)

static inline int open_loop(void **state)
{
    (void)state;
    left = right = (struct peer){0};
    if (secret_start() < 0 || loop_new(&loop, 0, 8) < 0)
        return -1;
    timer_init(&guard, loop, on_guard);
    timer_set(&guard, 10000);
    return 0;
}

static inline int close_loop(void **state)
{
    (void)state;
    left.stream = stream_free(left.stream);
    right.stream = stream_free(right.stream);
    buffer_fini(&left.received);
    buffer_fini(&right.received);
    timer_fini(&guard);
    loop = loop_free(loop);
    return 0;
}

/* A socket pair with a stream at one end or at both. */
static inline void open_left(int *other_fd)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(stream_new(&left.stream, loop, fds[0], &peer_handlers, &left), 0);
    *other_fd = fds[1];
}

static inline void open_both(void)
{
    int fd;

    open_left(&fd);
    assert_int_equal(stream_new(&right.stream, loop, fd, &peer_handlers, &right), 0);
}

static inline void write_text(struct peer *peer, const char *text)
{
    assert_int_equal(stream_write(peer->stream, slice_of(text)), 0);
}
