/* One connected socket, TLS or not, with its buffers: bytes in, bytes out, and why it ended.  Its
 * files alone call SSL_read and SSL_write.  Knows no protocol and has no deadlines of its own
 * (but that of closing): owners set timers and free the stream when one fires.
 * No handler runs inside a call into the stream; any handler may free the stream.
 * Thread: the loop's.  RFC 3207 4.2 (nothing read before TLS is used after), RFC 8446. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/net/loop.h"
#include "relay/net/socket_address.h"
#include "relay/net/tls_context.h"

struct stream;

enum stream_end {
    STREAM_PEER_CLOSED,    /* no more input will come; output still goes out until freed */
    STREAM_RESET,          /* the connection broke: ECONNRESET, EPIPE, ETIMEDOUT, ... */
    STREAM_TLS_FAILED,     /* handshake or record; detail says what OpenSSL said */
    STREAM_CONNECT_FAILED, /* stream_connect(): refused, unreachable, bind failed, ... */
    STREAM_CLOSED,         /* stream_close_when_written() has done its work */
};

/* Any may be NULL.  After on_end nothing else fires, with one exception: after STREAM_PEER_CLOSED
 * on_drained, and STREAM_CLOSED or STREAM_RESET if the owner goes on writing. */
struct stream_handlers {
    void (*on_connected)(void *owner); /* stream_connect() only */
    /* New bytes wait in stream_input().  Left-over bytes are offered again with the next ones, or
     * after stream_resume(). */
    void (*on_input)(void *owner);
    void (*on_drained)(void *owner); /* all output has gone to the kernel */
    void (*on_secured)(void *owner); /* TLS handshake done */
    void (*on_end)(void *owner, enum stream_end why, const char *detail);
};

/* Where to connect to, and from which of our addresses (local.len 0: the kernel's choice). */
struct address_pair {
    struct socket_address remote, local;
};

enum { STREAM_INPUT_BYTES = 65536, STREAM_OUTPUT_BYTES = 262144, STREAM_CLOSE_MS = 10000 };

/* Takes fd (a connected socket, TCP or Unix), also when it fails.  0 or -errno. */
MUST_USE int stream_new(struct stream **out, struct loop *loop, int fd,
                        const struct stream_handlers *handlers, void *owner);

/* Failure to connect, even an immediate one, is told by on_end.  0 or -ENOMEM. */
MUST_USE int stream_connect(struct stream **out, struct loop *loop, const struct address_pair *pair,
                            const struct stream_handlers *handlers, void *owner);

/* At once, what is not written yet is lost; safe in handlers.  Accepts NULL, returns NULL. */
struct stream *stream_free(struct stream *stream);

/* What came and was not consumed; good until the next stream_consume/discard or the handler's
 * return.  Consuming n bytes more than there are is a bug. */
struct slice stream_input(const struct stream *stream);
void stream_consume(struct stream *stream, size_t n);
size_t stream_discard_input(struct stream *stream); /* returns how many bytes it threw away */

/* Copies bytes to the output, which leaves at the end of the turn, together with what else was
 * written in it.  0, or -ENOBUFS above the bound (nothing taken: write again after on_drained),
 * or -ENOMEM.  On an ended stream: 0, thrown away. */
MUST_USE int stream_write(struct stream *stream, struct slice bytes);
MUST_USE int stream_write_pieces(struct stream *stream, const struct slice *pieces, size_t n);
size_t stream_pending_output(const struct stream *stream); /* bytes */
size_t stream_output_room(const struct stream *stream);    /* bytes stream_write() would take */

void stream_pause(struct stream *stream);  /* no on_input, and the peer is pushed back */
void stream_resume(struct stream *stream); /* bytes at hand are offered at the next turn */

/* After the output is written: close_notify, FIN, waits for the peer's FIN (input is discarded)
 * at most STREAM_CLOSE_MS in all, then on_end(STREAM_CLOSED); the owner then frees. */
void stream_close_when_written(struct stream *stream);

/* Handshake, begun once the output at hand is written; input at hand is thrown away, and nothing
 * is read in between.  Then on_secured or on_end(STREAM_TLS_FAILED).  The context is referenced.
 * Client: name is the host for SNI and for verification (a trailing dot is ignored, an address
 * literal is matched as an address); NULL: no SNI.  0 or -errno. */
MUST_USE int stream_start_tls_server(struct stream *stream, struct tls_context *context);
MUST_USE int stream_start_tls_client(struct stream *stream, struct tls_client *client,
                                     const char *name);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; NULL before on_secured.  The stream's memory. */
const char *stream_describe_tls(const struct stream *stream);
bool stream_tls_was_resumed(const struct stream *stream);
bool stream_tls_is_verified(const struct stream *stream); /* chain and name were checked */

/* What is wrong with the peer's chain or name by the authorities that its client has, whether it
 * was asked to verify or to look; NULL: nothing. */
const char *stream_tls_trouble(const struct stream *stream);

/* ACKs at once after every read: submission clients that write in two pieces wait for them
 * (Nagle's algorithm against delayed ACKs, 40 ms a command). */
void stream_set_quickack(struct stream *stream, bool is_on);

const struct socket_address *stream_peer_address(const struct stream *stream);
const struct socket_address *stream_local_address(const struct stream *stream);
uint64_t stream_bytes_read(const struct stream *stream); /* plain octets since the start */
