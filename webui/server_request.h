/* A request's header: what of it handlers may look at, and what it alone refuses or answers.
 * server*.c alone.  Thread: the panel's. */
#pragma once

#include <microhttpd.h>

#include "webui/exchange.h"

/* How a daemon is reached. */
enum door { DOOR_SOCKET, DOOR_PLAIN, DOOR_TLS };

/* NULL without memory. */
struct exchange *server_begin(struct webui *webui, struct MHD_Connection *connection,
                              const char *path, enum door door);

/* False after answering: where the request ends cannot be told, or lies too far away. */
bool server_judge_framing(struct exchange *exchange);

/* What the header alone refuses or answers.  The body is then read and thrown away, for a client
 * that is still writing would not get to read the answer. */
void server_judge_request(struct exchange *exchange, const char *method);
