#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "relay/net/stream_private.h"

/* A pause is short and the peer mostly silent meanwhile (it waits for its 250), so what is watched
 * stays as it is until the peer says something. */
static bool listens_in(const struct stream *stream)
{
    if (stream->is_paused)
        return !stream->pause_was_tried && (stream->watch.wanted & WATCH_READ);
    return !stream->peer_closed && stream_input_room(stream);
}

void stream_update_watch(struct stream *stream)
{
    unsigned wanted = 0;
    int error;

    switch (stream->state) {
    case STREAM_STATE_CONNECTING:
        wanted = WATCH_WRITE;
        break;
    case STREAM_STATE_OPEN:
        if (listens_in(stream))
            wanted |= stream->read_wants_write ? WATCH_WRITE : WATCH_READ;
        break;
    case STREAM_STATE_HANDSHAKE:
        wanted = SSL_want_write(stream->ssl) ? WATCH_WRITE : WATCH_READ;
        break;
    case STREAM_STATE_CLOSING:
    case STREAM_STATE_LINGERING:
        wanted = stream->peer_closed ? 0 : WATCH_READ;
        break;
    case STREAM_STATE_TLS_WAITS:
        break;
    case STREAM_STATE_ENDED:
    case STREAM_STATE_FREED:
        return;
    }
    if (stream->output_is_stuck)
        wanted |= WATCH_WRITE;
    error = watch_set(&stream->watch, wanted);
    if (error < 0) {
        stream_note_break(stream, error);
        later_set(&stream->turn);
    }
}

void stream_end(struct stream *stream, enum stream_end why, const char *detail)
{
    stream->state = STREAM_STATE_ENDED;
    watch_fini(&stream->watch);
    later_cancel(&stream->turn);
    timer_cancel(&stream->close_timer);
    byte_queue_clear(&stream->output);
    if (stream->handlers->on_end)
        stream->handlers->on_end(stream->owner, why, detail);
}

static void offer_input(struct stream *stream)
{
    if (!stream->has_news || stream->is_paused)
        return;
    stream->has_news = false;
    if (stream->handlers->on_input)
        stream->handlers->on_input(stream->owner);
}

static void tell_peer_closed(struct stream *stream)
{
    if (!stream->peer_closed || stream->is_paused || stream->peer_close_is_told)
        return;
    stream->peer_close_is_told = true;
    if (stream->handlers->on_end)
        stream->handlers->on_end(stream->owner, STREAM_PEER_CLOSED, "closed by the peer");
}

static void tell_drained(struct stream *stream)
{
    if (!stream->owes_drained || byte_queue_len(&stream->output) || stream->broken)
        return;
    stream->owes_drained = false;
    if (stream->handlers->on_drained)
        stream->handlers->on_drained(stream->owner);
}

static void tell_broken(struct stream *stream)
{
    if (!stream->broken)
        return;
    if (stream->tls_is_broken)
        stream_end(stream, STREAM_TLS_FAILED, stream->detail);
    else
        stream_end(stream, STREAM_RESET, strerror(stream->broken));
}

/* Our answer would have carried the acknowledgement; without one, a client that sends in small
 * pieces waits for it (Nagle against delayed ACK), 40 ms each. */
static void acknowledge(struct stream *stream)
{
    if (stream->owes_ack && !stream->is_paused && byte_queue_len(&stream->output) == 0)
        setsockopt(stream->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    stream->owes_ack = false;
}

static void take_turn_open(struct stream *stream, bool may_read)
{
    static void (*const steps[])(struct stream *) = {offer_input, tell_peer_closed, tell_drained,
                                                     tell_broken};

    if (may_read && stream->is_paused)
        stream->pause_was_tried = true;
    else if (may_read)
        stream_read_in(stream);
    stream_write_out(stream);
    if (stream->broken && !stream->is_paused) /* what came before the end is still told */
        stream_read_in(stream);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (stream->state == STREAM_STATE_OPEN)
            steps[i](stream);
    if (stream->state == STREAM_STATE_OPEN)
        acknowledge(stream);
    if (stream->state == STREAM_STATE_OPEN && stream_has_hidden_input(stream))
        later_set(&stream->turn);
}

static void start_lingering(struct stream *stream)
{
    if (stream->ssl && !stream->tls_is_broken) {
        SSL_shutdown(stream->ssl);
        ERR_clear_error();
    }
    shutdown(stream->fd, SHUT_WR);
    stream->state = STREAM_STATE_LINGERING;
}

static void take_turn_closing(struct stream *stream)
{
    if (stream->state == STREAM_STATE_CLOSING) {
        stream_write_out(stream);
        if (!stream->broken && byte_queue_len(&stream->output) == 0)
            start_lingering(stream);
    }
    stream_discard_from_kernel(stream);
    if (stream->broken || (stream->state == STREAM_STATE_LINGERING && stream->peer_closed))
        stream_end(stream, STREAM_CLOSED, "closed");
}

static void take_turn_tls_waits(struct stream *stream)
{
    stream_write_out(stream);
    if (stream->broken) {
        tell_broken(stream);
    } else if (byte_queue_len(&stream->output) == 0) {
        stream->state = STREAM_STATE_HANDSHAKE;
        stream->ssl = TAKE(stream->next_ssl);
        stream_shake_hands(stream);
    }
}

static void enter(struct stream *stream)
{
    stream->depth++;
}

static void leave(struct stream *stream)
{
    stream_keep_input(stream);
    if (--stream->depth > 0)
        return;
    if (stream->state == STREAM_STATE_FREED) {
        free(stream);
        return;
    }
    if (byte_queue_len(&stream->input) == 0)
        byte_queue_clear(&stream->input); /* an idle connection holds no buffer */
    stream_update_watch(stream);
}

static void take_turn(struct stream *stream, bool may_read)
{
    enter(stream);
    switch (stream->state) {
    case STREAM_STATE_CONNECTING:
        stream_finish_connect(stream);
        break;
    case STREAM_STATE_OPEN:
        take_turn_open(stream, may_read);
        break;
    case STREAM_STATE_TLS_WAITS:
        take_turn_tls_waits(stream);
        break;
    case STREAM_STATE_HANDSHAKE:
        stream_shake_hands(stream);
        break;
    case STREAM_STATE_CLOSING:
    case STREAM_STATE_LINGERING:
        take_turn_closing(stream);
        break;
    case STREAM_STATE_ENDED:
    case STREAM_STATE_FREED:
        break;
    }
    leave(stream);
}

void stream_on_ready(struct watch *watch, unsigned what)
{
    struct stream *stream = CONTAINER_OF(watch, struct stream, watch);

    take_turn(stream, (what & WATCH_READ) != 0 || stream->read_wants_write);
}

void stream_on_turn(struct later *later)
{
    struct stream *stream = CONTAINER_OF(later, struct stream, turn);

    take_turn(stream, stream_has_hidden_input(stream));
}

void stream_on_close_timer(struct timer *timer)
{
    struct stream *stream = CONTAINER_OF(timer, struct stream, close_timer);

    enter(stream);
    stream_end(stream, STREAM_CLOSED, "closed without the peer's agreement");
    leave(stream);
}
