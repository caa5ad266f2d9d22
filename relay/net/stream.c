#include "relay/net/stream.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "relay/net/stream_private.h"

/* ---- life ---- */

struct stream *stream_make(struct loop *loop, int fd, const struct stream_handlers *handlers,
                           void *owner)
{
    struct stream *stream = calloc(1, sizeof(*stream));

    if (!stream || watch_init(&stream->watch, loop, fd, stream_on_ready) < 0) {
        free(stream);
        close(fd);
        return NULL;
    }
    stream->loop = loop;
    stream->handlers = handlers;
    stream->owner = owner;
    stream->fd = fd;
    later_init(&stream->turn, loop, stream_on_turn);
    timer_init(&stream->close_timer, loop, stream_on_close_timer);
    return stream;
}

int stream_new(struct stream **out, struct loop *loop, int fd,
               const struct stream_handlers *handlers, void *owner)
{
    struct stream *stream = stream_make(loop, fd, handlers, owner);

    if (!stream)
        return FAULT(-ENOMEM);
    stream->state = STREAM_STATE_OPEN;
    stream->peer.len = stream->local.len = sizeof(stream->peer.storage);
    if (getpeername(fd, &stream->peer.any, &stream->peer.len) < 0)
        stream->peer.len = 0;
    if (getsockname(fd, &stream->local.any, &stream->local.len) < 0)
        stream->local.len = 0;
    stream_update_watch(stream);
    if (stream->broken) {
        int error = -stream->broken;

        stream_free(stream);
        return error;
    }
    *out = stream;
    return 0;
}

struct stream *stream_free(struct stream *stream)
{
    if (!stream)
        return NULL;
    stream->state = STREAM_STATE_FREED;
    watch_fini(&stream->watch);
    later_cancel(&stream->turn);
    timer_fini(&stream->close_timer);
    stream_drop_input(stream);
    byte_queue_clear(&stream->sealed);
    byte_queue_clear(&stream->output);
    tls_ssl_free(TAKE(stream->ssl));
    tls_ssl_free(TAKE(stream->next_ssl));
    close(take_fd(&stream->fd));
    if (stream->depth == 0)
        free(stream);
    return NULL;
}

/* ---- what owners do ---- */

struct slice stream_input(const struct stream *stream)
{
    return stream->fresh.len ? stream->fresh : byte_queue_slice(&stream->input);
}

void stream_consume(struct stream *stream, size_t n)
{
    bool was_full = stream_input_room(stream) == 0;

    if (stream->fresh.len)
        stream->fresh = slice_skip(stream->fresh, n);
    else
        byte_queue_consume(&stream->input, n);
    if (was_full && n && stream->depth == 0 && stream->state == STREAM_STATE_OPEN)
        later_set(&stream->turn); /* reading goes on */
}

size_t stream_discard_input(struct stream *stream)
{
    size_t n = stream_input(stream).len;

    stream_consume(stream, n);
    stream->has_news = false;
    return n;
}

int stream_write(struct stream *stream, struct slice bytes)
{
    return stream_write_pieces(stream, &bytes, 1);
}

static bool takes_output(const struct stream *stream)
{
    return stream_is_alive(stream) && !stream->broken && stream->state != STREAM_STATE_CLOSING &&
           stream->state != STREAM_STATE_LINGERING;
}

int stream_write_pieces(struct stream *stream, const struct slice *pieces, size_t n)
{
    size_t total = 0;
    int error;

    if (!takes_output(stream))
        return 0;
    for (size_t i = 0; i < n; i++)
        total += pieces[i].len;
    if (total > stream_output_room(stream))
        return -ENOBUFS;
    error = byte_queue_reserve(&stream->output, total);
    for (size_t i = 0; i < n && error == 0; i++)
        error = byte_queue_append(&stream->output, pieces[i]);
    if (error < 0)
        return error;
    stream->owes_drained = true;
    if (!stream->output_is_stuck)
        later_set(&stream->turn);
    return 0;
}

size_t stream_pending_output(const struct stream *stream)
{
    return byte_queue_len(&stream->output);
}

size_t stream_output_room(const struct stream *stream)
{
    size_t len = byte_queue_len(&stream->output);

    return len < STREAM_OUTPUT_BYTES ? STREAM_OUTPUT_BYTES - len : 0;
}

void stream_pause(struct stream *stream)
{
    stream->is_paused = true;
    stream->pause_was_tried = false;
    if (stream->depth == 0)
        stream_update_watch(stream);
}

void stream_resume(struct stream *stream)
{
    stream->is_paused = false;
    stream->has_news = stream_input(stream).len > 0;
    later_set(&stream->turn);
}

void stream_close_when_written(struct stream *stream)
{
    if (!stream_is_alive(stream) || stream->state == STREAM_STATE_CLOSING ||
        stream->state == STREAM_STATE_LINGERING)
        return;
    if (stream->state == STREAM_STATE_CONNECTING || stream->state == STREAM_STATE_HANDSHAKE)
        byte_queue_clear(&stream->output); /* there was never a way out for it */
    stream->state = STREAM_STATE_CLOSING;
    stream_drop_input(stream);
    timer_set(&stream->close_timer, STREAM_CLOSE_MS);
    later_set(&stream->turn);
}

void stream_set_quickack(struct stream *stream, bool is_on)
{
    stream->quickack = is_on;
    if (is_on)
        setsockopt(stream->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

const struct socket_address *stream_peer_address(const struct stream *stream)
{
    return &stream->peer;
}

const struct socket_address *stream_local_address(const struct stream *stream)
{
    return &stream->local;
}

uint64_t stream_bytes_read(const struct stream *stream)
{
    return stream->n_read;
}
