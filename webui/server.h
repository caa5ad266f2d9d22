/* HTTP on the panel thread.  server.c is the only file that includes microhttpd.h.
 * Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

MUST_USE int server_open(struct webui *webui, int listen_fd, bool is_local); /* 0 or -errno */
void server_close_all(struct webui *webui);

/* Serves what is ready; blocks until something is, or the mailbox has tasks. */
void server_turn(struct webui *webui);

void server_wake_stream(const struct live_stream *stream);
bool server_stream_is_left(const struct live_stream *stream); /* its client has gone */

/* The exchange has its answer: wakes its connection when it was put to sleep. */
void server_answered(struct exchange *exchange);
