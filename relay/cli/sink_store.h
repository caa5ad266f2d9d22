/* What the test receiver keeps: DIR/new/N with the octets, DIR/new/N.json with the envelope, and
 * counts.  A message appears whole: written to DIR/tmp, then renamed, its envelope first.
 * Thread: the loop's. */
#pragma once

#include "relay/cli/sink_session.h"

struct sink_counts {
    uint64_t n_connections, n_secured, n_messages, n_recipients, n_octets, n_refused;
    uint64_t n_open, most_open;        /* connections at once */
    int64_t first_utc_ms, last_utc_ms; /* of messages; 0: none yet */
};

struct sink_store; /* NULL keeps nothing */

/* Makes the folders; numbers go on behind those that are there.  0 or -errno. */
MUST_USE int sink_store_open(struct sink_store **out, const char *dir);
struct sink_store *sink_store_close(struct sink_store *store); /* NULL in, NULL out */

/* 0 or -errno; tls: as stream_describe_tls(), NULL without. */
MUST_USE int sink_store_keep(struct sink_store *store, const struct sink_session *session,
                             const char *peer, const char *tls);

/* One JSON object and a newline on stdout; "applied" says how often each rule of the script did. */
void sink_counts_print(const struct sink_counts *counts, const struct sink_script *script);
