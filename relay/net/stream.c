#include "relay/net/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "relay/net/stream_private.h"

enum { TLS_READ_BYTES = 16384, TLS_WRITE_BYTES = 16384, MAX_DISCARDS = 8 };

/* What a read brings is put into the stream's own memory afterwards, which then holds what came and
 * not what could have come. */
static _Thread_local char scratch[STREAM_INPUT_BYTES];

/* ---- reading ---- */

/* One read into the scratch memory: > 0 bytes, 0 nothing now, -errno; EOF sets peer_closed. */
static ssize_t read_plain(struct stream *stream, size_t room)
{
    ssize_t n = recv(stream->fd, scratch, room, 0);

    if (n == 0)
        stream->peer_closed = true;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n;
}

static ssize_t explain_tls(struct stream *stream, int saved_errno)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    stream->tls_is_broken = true;
    snprintf(stream->detail, sizeof(stream->detail), "%s", reason ? reason : "TLS record refused");
    ERR_clear_error();
    return saved_errno ? -saved_errno : -EPROTO;
}

static ssize_t read_tls(struct stream *stream, size_t room)
{
    int n, saved_errno;

    ERR_clear_error();
    errno = 0;
    n = SSL_read(stream->ssl, scratch, (int)(room < TLS_READ_BYTES ? room : TLS_READ_BYTES));
    if (n > 0)
        return n;
    saved_errno = errno;
    switch (SSL_get_error(stream->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_WANT_WRITE:
        stream->read_wants_write = true;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        stream->peer_closed = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        return saved_errno ? -saved_errno : -ECONNRESET;
    default:
        return explain_tls(stream, 0);
    }
}

size_t stream_input_room(const struct stream *stream)
{
    size_t len = byte_queue_len(&stream->input);

    return len < STREAM_INPUT_BYTES ? STREAM_INPUT_BYTES - len : 0;
}

void stream_note_break(struct stream *stream, int error)
{
    if (!stream->broken)
        stream->broken = -error;
    byte_queue_clear(&stream->output);
}

/* Passwords pass through here: nothing stays behind. */
static ssize_t keep(struct stream *stream, size_t n)
{
    int error = byte_queue_append(&stream->input, (struct slice){scratch, n});

    explicit_bzero(scratch, n);
    return error < 0 ? error : (ssize_t)n;
}

/* One read; false when there is nothing more for now. */
static bool read_once(struct stream *stream)
{
    size_t room = stream_input_room(stream);
    ssize_t n;

    if (room == 0 || stream->peer_closed || stream->tls_is_broken)
        return false;
    n = stream->ssl ? read_tls(stream, room) : read_plain(stream, room);
    if (n > 0)
        n = keep(stream, (size_t)n);
    if (n < 0)
        stream_note_break(stream, (int)n);
    if (n <= 0)
        return false;
    stream->n_read += (uint64_t)n;
    stream->has_news = true;
    return stream->ssl || (size_t)n == room; /* a short read of a socket has emptied it */
}

/* At most the bound of the input in one turn: other streams have their turn too. */
void stream_read_in(struct stream *stream)
{
    stream->read_wants_write = false;
    while (read_once(stream))
        ;
    stream->owes_ack = stream->quickack && stream->has_news;
}

/* ---- writing ---- */

static ssize_t write_plain(struct stream *stream, struct slice bytes)
{
    ssize_t n = send(stream->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n;
}

static ssize_t write_tls(struct stream *stream, struct slice bytes)
{
    int n, saved_errno;

    ERR_clear_error();
    errno = 0;
    n = SSL_write(stream->ssl, bytes.data,
                  bytes.len < TLS_WRITE_BYTES ? (int)bytes.len : TLS_WRITE_BYTES);
    if (n > 0)
        return n;
    saved_errno = errno;
    switch (SSL_get_error(stream->ssl, n)) {
    case SSL_ERROR_WANT_READ: /* cannot be without renegotiation; the next read will do */
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_SYSCALL:
        return saved_errno ? -saved_errno : -EPIPE;
    default:
        return explain_tls(stream, 0);
    }
}

void stream_write_out(struct stream *stream)
{
    stream->output_is_stuck = false;
    while (byte_queue_len(&stream->output)) {
        struct slice bytes = byte_queue_slice(&stream->output);
        ssize_t n = stream->ssl ? write_tls(stream, bytes) : write_plain(stream, bytes);

        if (n < 0) {
            stream_note_break(stream, (int)n);
            return;
        }
        if (n == 0) {
            stream->output_is_stuck = true;
            return;
        }
        byte_queue_consume(&stream->output, (size_t)n);
    }
    byte_queue_clear(&stream->output);
}

/* Closing a socket with unread input sends RST, which may overtake our last reply: so read on. */
void stream_discard_from_kernel(struct stream *stream)
{
    ssize_t n = 0;

    for (int i = 0; i < MAX_DISCARDS; i++) {
        n = recv(stream->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
        if (n <= 0)
            break;
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        stream->peer_closed = true;
}

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
    byte_queue_clear(&stream->input);
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
    return byte_queue_slice(&stream->input);
}

void stream_consume(struct stream *stream, size_t n)
{
    bool was_full = stream_input_room(stream) == 0;

    byte_queue_consume(&stream->input, n);
    if (was_full && n && stream->depth == 0 && stream->state == STREAM_STATE_OPEN)
        later_set(&stream->turn); /* reading goes on */
}

size_t stream_discard_input(struct stream *stream)
{
    size_t n = byte_queue_len(&stream->input);

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
    stream->has_news = byte_queue_len(&stream->input) > 0;
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
    byte_queue_clear(&stream->input);
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
