/* The test receiver's side of one SMTP connection: octets in, replies and steps out, no I/O.
 * Strict on purpose: a command ends with CRLF, data with CRLF.CRLF, and what arrives is kept as it
 * arrived.  Thread: the loop's.  RFC 5321, 2920, 6152, 6531, 3461, 3207, 1870. */
#pragma once

#include "relay/cli/sink_path.h"
#include "relay/cli/sink_script.h"
#include "relay/cli/sink_trace.h"
#include "relay/net/socket_address.h"

enum sink_step {
    SINK_STEP_MORE,      /* give more input */
    SINK_STEP_WAIT,      /* in wait_ms call sink_session_waited() */
    SINK_STEP_MESSAGE,   /* keep the message, then call sink_session_kept() */
    SINK_STEP_START_TLS, /* after the output is written; then sink_session_secured() */
    SINK_STEP_CLOSE,     /* after the output is written */
    SINK_STEP_DROP       /* at once */
};

enum { SINK_MESSAGE_BYTES = 200000000, SINK_LINE_BYTES = 12288, SINK_MAX_RECIPIENTS = 10000 };

/* Where the connection is, and how many there were when it came. */
struct sink_place {
    uint64_t connection; /* its number, from 1 */
    char peer[IP_TEXT_SIZE], listener[IP_TEXT_SIZE];
    unsigned n_open, n_open_of_peer, n_open_at_listener; /* n_open is kept up to date */
};

struct sink_session {
    struct sink_script *script;
    struct sink_trace *trace; /* NULL: none */
    struct sink_place place;
    int64_t now_ms; /* the owner sets it before it calls; since the receiver began */
    bool offers_tls, is_secured;
    struct buffer output; /* the owner writes and clears it at every step */

    char *helo; /* NULL before EHLO or HELO */
    bool has_sender, is_body, is_body_begun;
    struct sink_path sender;
    struct sink_path *recipients;
    size_t n_recipients;
    struct buffer body; /* while it comes: a CRLF, then the raw octets */

    int64_t wait_ms, drip_ms; /* drip_ms > 0: between the octets of the reply */
    enum sink_step after_wait;
    struct buffer held; /* the reply that waits */
    bool loses_message; /* its reply is the end of the connection */
    uint64_t n_refused; /* commands and messages answered 4xx or 5xx */
};

void sink_session_init(struct sink_session *session, struct sink_script *script, bool offers_tls);
void sink_session_fini(struct sink_session *session);

enum sink_step sink_session_greet(struct sink_session *session);

/* Takes octets from *input until a step other than MORE. */
enum sink_step sink_session_feed(struct sink_session *session, struct slice *input);
enum sink_step sink_session_waited(struct sink_session *session);
enum sink_step sink_session_kept(struct sink_session *session, bool is_kept);
void sink_session_secured(struct sink_session *session);

/* The octets of the message at SINK_STEP_MESSAGE: CRLF lines, unstuffed. */
struct slice sink_session_message(const struct sink_session *session);
