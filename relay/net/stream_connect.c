#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "relay/net/stream_private.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static int prepare_socket(int fd, const struct address_pair *pair)
{
    int one = 1;

    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (pair->local.len == 0)
        return 0;
    /* The port is chosen at connect(), so that one egress address has 28,000 ports per receiver
     * and not in all. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    return bind(fd, &pair->local.any, pair->local.len) < 0 ? -errno : 0;
}

static int start(int fd, const struct address_pair *pair)
{
    int error = prepare_socket(fd, pair);

    if (error == 0 && connect(fd, &pair->remote.any, pair->remote.len) < 0 && errno != EINPROGRESS)
        error = -errno;
    return error;
}

int stream_connect(struct stream **out, struct loop *loop, const struct address_pair *pair,
                   const struct stream_handlers *handlers, void *owner)
{
    int fd = socket(pair->remote.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failure = start(fd, pair);
    struct stream *stream = stream_make(loop, fd, handlers, owner);

    if (!stream)
        return FAULT(-ENOMEM);
    stream->state = STREAM_STATE_CONNECTING;
    stream->peer = pair->remote;
    stream->broken = -failure;
    if (failure == 0)
        stream_update_watch(stream);
    if (stream->broken)
        later_set(&stream->turn); /* told at the next turn, as every other end */
    *out = stream;
    return 0;
}

void stream_finish_connect(struct stream *stream)
{
    socklen_t len = sizeof(stream->broken);

    if (!stream->broken)
        getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &stream->broken, &len);
    if (stream->broken) {
        stream_end(stream, STREAM_CONNECT_FAILED, strerror(stream->broken));
        return;
    }
    /* Woken for another reason (a write, a resume) before the answer was there? */
    stream->peer.len = sizeof(stream->peer.storage);
    if (getpeername(stream->fd, &stream->peer.any, &stream->peer.len) < 0)
        return;
    stream->local.len = sizeof(stream->local.storage);
    if (getsockname(stream->fd, &stream->local.any, &stream->local.len) < 0)
        stream->local.len = 0;
    stream->state = STREAM_STATE_OPEN;
    if (byte_queue_len(&stream->output))
        later_set(&stream->turn);
    if (stream->handlers->on_connected)
        stream->handlers->on_connected(stream->owner);
}
