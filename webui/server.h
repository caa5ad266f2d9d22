/* HTTP on the panel thread.  server*.c are the only files that include microhttpd.h.
 * Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* A certificate chain and its key, PEM, NUL-terminated; the caller's. */
struct server_identity {
    const char *certificate, *key;
};

/* identity NULL: without TLS.  0 or -errno. */
MUST_USE int server_open(struct webui *webui, int listen_fd, bool is_local,
                         const struct server_identity *identity);
void server_close_all(struct webui *webui);

/* New connections get this certificate, those that are open keep theirs until they end.  0, or
 * -errno and all is as before (-EBUSY: too many are still open with certificates before). */
MUST_USE int server_renew(struct webui *webui, const struct server_identity *identity);

/* Serves what is ready; blocks until something is, or the mailbox has tasks. */
void server_turn(struct webui *webui);

void server_wake_stream(const struct live_stream *stream);
void server_end_stream(const struct live_stream *stream); /* who does not take its end is cut off */
bool server_stream_is_left(const struct live_stream *stream); /* its client has gone */

/* The exchange has its answer: wakes its connection when it was put to sleep. */
void server_answered(struct exchange *exchange);
