/* What stream.c, stream_bytes.c, stream_turn.c, stream_connect.c and stream_tls.c share, and nobody
 * else.
 * Thread: the loop's. */
#pragma once

#include <openssl/ssl.h>

#include "relay/net/byte_queue.h"
#include "relay/net/stream.h"

enum stream_state {
    STREAM_STATE_CONNECTING,
    STREAM_STATE_OPEN,
    STREAM_STATE_TLS_WAITS, /* for the output before it; nothing is read */
    STREAM_STATE_HANDSHAKE,
    STREAM_STATE_CLOSING,   /* what is left of the output goes out, input is thrown away */
    STREAM_STATE_LINGERING, /* our FIN is sent, the peer's is awaited */
    STREAM_STATE_ENDED,     /* on_end was called for good */
    STREAM_STATE_FREED,     /* by a handler; the memory goes when the handler returns */
};

enum { STREAM_DETAIL_SIZE = 160 };

struct stream {
    struct loop *loop;
    const struct stream_handlers *handlers;
    void *owner;
    struct watch watch;
    struct later turn;        /* work at the end of the turn: write out, offer input, tell ends */
    struct timer close_timer; /* bounds CLOSING and LINGERING */
    struct byte_queue input, output;
    struct slice fresh; /* what this turn read, still where it was read; `input` is empty then */
    uint64_t n_read;
    SSL *ssl;                 /* NULL: plain text */
    SSL *next_ssl;            /* STREAM_STATE_TLS_WAITS: becomes ssl when the output is written */
    struct slice feed;        /* records that OpenSSL is to read now */
    struct byte_queue sealed; /* those it has not read yet, because input was full */
    struct socket_address peer, local;
    char detail[STREAM_DETAIL_SIZE];
    char tls[96]; /* description; empty before on_secured */
    int fd;
    int broken; /* errno that ended the connection, told after the input before it */
    enum stream_state state;
    unsigned depth; /* > 0 while a handler may be running */
    bool tls_is_broken;
    bool is_paused, quickack;
    bool owes_ack;        /* quickack: something was read, and nothing was said to it yet */
    bool pause_was_tried; /* the peer sent something: only then is it worth not to listen */
    bool peer_closed, peer_close_is_told;
    bool has_news;         /* input that was not offered yet */
    bool owes_drained;     /* something was written since on_drained */
    bool output_is_stuck;  /* the kernel takes no more: wait for WATCH_WRITE */
    bool read_wants_write; /* TLS: a key update must go out first */
    bool is_verified;
};

/* One zeroed stream with everything embedded initialised; takes fd. NULL without memory. */
struct stream *stream_make(struct loop *loop, int fd, const struct stream_handlers *handlers,
                           void *owner);

/* stream_bytes.c: what passes between the kernel or OpenSSL and the two queues. */
MUST_USE int stream_attach_tls(struct stream *stream, SSL *ssl); /* 0 or -ENOMEM */
size_t stream_input_room(const struct stream *stream);
bool stream_has_hidden_input(const struct stream *stream); /* no readiness announces it */
void stream_note_break(struct stream *stream, int error);  /* told after the input before it */
void stream_read_in(struct stream *stream);
void stream_keep_input(struct stream *stream); /* what this turn read and nobody consumed */
void stream_drop_input(struct stream *stream);
void stream_write_out(struct stream *stream);
void stream_discard_from_kernel(struct stream *stream);

/* stream_turn.c: what the loop calls. */
void stream_on_ready(struct watch *watch, unsigned what);
void stream_on_turn(struct later *later);
void stream_on_close_timer(struct timer *timer);

/* Ends it for good: nothing more is read or written, on_end is called. Only from the loop. */
void stream_end(struct stream *stream, enum stream_end why, const char *detail);

/* Sets what readiness to wait for from the state. */
void stream_update_watch(struct stream *stream);

/* stream_connect.c: the connection is there, or has failed. */
void stream_finish_connect(struct stream *stream);

/* stream_tls.c: one step of the handshake; may end the stream. */
void stream_shake_hands(struct stream *stream);

static inline bool stream_is_alive(const struct stream *stream)
{
    return stream->state != STREAM_STATE_ENDED && stream->state != STREAM_STATE_FREED;
}
