/* The Received field that we put on top (RFC 5321 4.4, keywords of RFC 3848).  By default it says
 * nothing of the client: receivers judge the addresses they see there, and a newsletter's home
 * connection is nobody's business; trace = "full" tells it.  Thread: any; pure. */
#pragma once

#include "relay/base/buffer.h"

struct trace {
    struct slice hostname, queue_id;
    struct slice helo, client_ip; /* told when is_full */
    struct slice tls;             /* "TLSv1.3 TLS_AES_…", or empty */
    bool is_full, is_esmtp, is_authenticated, is_utf8;
    int64_t utc_ms;
};

/* Appends the field, folded, with its CRLF. */
void trace_header_print(const struct trace *trace, struct buffer *out);

/* Appends "<random.queue-id@hostname>" for a message without Message-ID. */
void trace_message_id_print(struct slice queue_id, struct slice hostname, struct buffer *out);
