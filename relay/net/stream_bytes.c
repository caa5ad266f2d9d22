/* What passes between the kernel, OpenSSL and a stream's two queues.  The socket is read once a
 * turn, whatever number of records came; OpenSSL is fed from there.  Only the handshake it reads by
 * itself, record by record, so that nothing behind it is taken along. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>

#include "relay/net/stream_private.h"

enum { TLS_WRITE_BYTES = 16384, MAX_DISCARDS = 8, MAX_EMPTY_READS = 8 };

/* What a read brings stays here until the owner has seen it; what he leaves is put into the
 * stream's own memory, which then holds what came and not what could have come. */
static _Thread_local char scratch[STREAM_INPUT_BYTES], records[STREAM_INPUT_BYTES];
static _Thread_local size_t n_scratch; /* to be wiped: passwords pass through here */

/* ---- OpenSSL's side ---- */

static BIO_METHOD *socket_method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int give_feed(struct stream *stream, char *out, int len)
{
    size_t n = stream->feed.len < (size_t)len ? stream->feed.len : (size_t)len;

    memcpy(out, stream->feed.data, n);
    stream->feed = slice_skip(stream->feed, n);
    return (int)n;
}

static int on_bio_read(BIO *bio, char *out, int len)
{
    struct stream *stream = BIO_get_data(bio);
    int n;

    BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY | BIO_FLAGS_IN_EOF);
    if (stream->feed.len)
        return give_feed(stream, out, len);
    if (stream->state != STREAM_STATE_HANDSHAKE) {
        BIO_set_retry_read(bio);
        return -1;
    }
    n = (int)recv(stream->fd, out, (size_t)len, 0);
    if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    else if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return n;
}

static int on_bio_write(BIO *bio, const char *bytes, int len)
{
    const struct stream *stream = BIO_get_data(bio);
    int n = (int)send(stream->fd, bytes, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return n;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's signature */
static long on_bio_control(BIO *bio, int command, long number, void *argument)
{
    (void)number, (void)argument;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static void make_method(void)
{
    socket_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    if (!socket_method)
        return;
    BIO_meth_set_read(socket_method, on_bio_read);
    BIO_meth_set_write(socket_method, on_bio_write);
    BIO_meth_set_ctrl(socket_method, on_bio_control);
}

int stream_attach_tls(struct stream *stream, SSL *ssl)
{
    BIO *bio;

    pthread_once(&method_once, make_method);
    bio = socket_method ? BIO_new(socket_method) : NULL;
    if (!bio)
        return FAULT(-ENOMEM);
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return 0;
}

/* ---- reading ---- */

size_t stream_input_room(const struct stream *stream)
{
    size_t len = stream_input(stream).len;

    return len < STREAM_INPUT_BYTES ? STREAM_INPUT_BYTES - len : 0;
}

void stream_note_break(struct stream *stream, int error)
{
    if (!stream->broken)
        stream->broken = -error;
    byte_queue_clear(&stream->output);
}

/* One read of the socket: > 0 bytes, 0 nothing now, -errno; EOF sets peer_closed. */
static ssize_t receive(struct stream *stream, char *out, size_t room)
{
    ssize_t n = recv(stream->fd, out, room, 0);

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

/* What is in the next record, or as much of it as there is room for. */
static ssize_t open_record(struct stream *stream, char *out, size_t room)
{
    int n, saved_errno;

    ERR_clear_error();
    errno = 0;
    n = SSL_read(stream->ssl, out, (int)room);
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

static bool has_sealed(const struct stream *stream)
{
    return byte_queue_len(&stream->sealed) || SSL_pending(stream->ssl) > 0;
}

bool stream_has_hidden_input(const struct stream *stream)
{
    return stream->ssl && !stream->is_paused && !stream->read_wants_write && !stream->peer_closed &&
           !stream->tls_is_broken && stream_input_room(stream) && has_sealed(stream);
}

/* Records, until one carries nothing: a peer may send such without end, and others have their turn
 * too. */
static ssize_t open_records(struct stream *stream, size_t room)
{
    size_t n_open = 0;
    ssize_t n;

    do {
        n = open_record(stream, scratch + n_open, room - n_open);
        n_open += n > 0 ? (size_t)n : 0;
    } while (n > 0 && n_open < room && (stream->feed.len || SSL_pending(stream->ssl) > 0));
    if (n < 0)
        stream_note_break(stream, (int)n);
    return (ssize_t)n_open;
}

static ssize_t read_held_tls(struct stream *stream, size_t room)
{
    size_t n_held = byte_queue_len(&stream->sealed);
    ssize_t n;

    stream->feed = byte_queue_slice(&stream->sealed);
    n = open_records(stream, room);
    byte_queue_consume(&stream->sealed, n_held - stream->feed.len);
    stream->feed = (struct slice){0};
    if (byte_queue_len(&stream->sealed) == 0)
        byte_queue_clear(&stream->sealed);
    return n;
}

static ssize_t read_tls(struct stream *stream, size_t room)
{
    ssize_t n;
    int error;

    if (has_sealed(stream))
        return read_held_tls(stream, room);
    n = receive(stream, records, room);
    if (n <= 0)
        return n;
    stream->feed = slice_from(records, (size_t)n);
    n = open_records(stream, room);
    error = byte_queue_append(&stream->sealed, stream->feed);
    stream->feed = (struct slice){0};
    return error < 0 ? error : n;
}

void stream_keep_input(struct stream *stream)
{
    int error = 0;

    if (stream->fresh.len && stream_is_alive(stream))
        error = byte_queue_append(&stream->input, stream->fresh);
    stream->fresh = (struct slice){0};
    explicit_bzero(scratch, n_scratch);
    n_scratch = 0;
    if (error == 0)
        return;
    stream_note_break(stream, error);
    later_set(&stream->turn);
}

void stream_drop_input(struct stream *stream)
{
    stream->fresh = (struct slice){0};
    byte_queue_clear(&stream->input);
}

static int offer(struct stream *stream, size_t n)
{
    n_scratch = n;
    if (byte_queue_len(&stream->input) == 0) {
        stream->fresh = slice_from(scratch, n);
        return 0;
    }
    return byte_queue_append(&stream->input, slice_from(scratch, n));
}

/* One read; false when there is nothing more for now. */
static bool read_once(struct stream *stream)
{
    size_t room;
    ssize_t n;

    stream_keep_input(stream);
    room = stream_input_room(stream);
    if (room == 0 || stream->peer_closed || stream->tls_is_broken)
        return false;
    n = stream->ssl ? read_tls(stream, room) : receive(stream, scratch, room);
    if (n > 0) {
        int error = offer(stream, (size_t)n);

        stream->n_read += (uint64_t)n;
        stream->has_news = true;
        n = error < 0 ? error : n;
    }
    if (n < 0)
        stream_note_break(stream, (int)n);
    return n > 0;
}

/* One read a turn: what there may be behind it, the kernel announces again.  But of a connection
 * that broke, everything now, a few records without data (tickets, key updates) in front of a last
 * reply included. */
void stream_read_in(struct stream *stream)
{
    int n_empty = 0;

    stream->read_wants_write = false;
    do
        n_empty += !read_once(stream);
    while (stream->broken && n_empty < MAX_EMPTY_READS);
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

/* Closing a socket with unread input sends RST, which may overtake our last reply: so read on.  It
 * may be a password that came too late. */
void stream_discard_from_kernel(struct stream *stream)
{
    ssize_t n = 0, most = 0;

    for (int i = 0; i < MAX_DISCARDS; i++) {
        n = recv(stream->fd, records, sizeof(records), MSG_DONTWAIT);
        if (n <= 0)
            break;
        most = n > most ? n : most;
    }
    explicit_bzero(records, (size_t)most);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        stream->peer_closed = true;
}
