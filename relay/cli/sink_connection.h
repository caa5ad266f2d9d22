/* One connection of the test receiver: joins a stream with a session.  Thread: the loop's. */
#pragma once

#include "relay/cli/sink_store.h"
#include "relay/net/listener.h"
#include "relay/net/stream.h"

enum { SINK_MAX_CONNECTIONS = 30000, SINK_IDLE_MS = 600000 };

/* What all connections share; its owner outlives them. */
struct sink {
    struct loop *loop;
    struct tls_context *tls; /* NULL: STARTTLS is not offered */
    struct sink_script *script;
    struct sink_store *store;
    struct sink_trace *trace; /* NULL: none */
    int64_t began_ms;         /* monotonic */
    struct sink_counts counts;
    struct list connections;
};

listener_on_accept sink_on_accept; /* owner is the struct sink */

/* Ends every connection. */
void sink_close_all(struct sink *sink);
