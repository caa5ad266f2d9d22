/* The last fence before the wire: dot-stuffs a body (RFC 5321 4.5.2) and lets nothing pass but
 * lines that end in CRLF, without NUL, bare CR or bare LF, whatever the queue holds and however it
 * came there.  Without it a lenient receiver sees a second message (CVE-2023-51764 and its kin).
 * Thread: the owner's; pure. */
#pragma once

#include "relay/base/buffer.h"

enum { BODY_UNCLEAN = 1 }; /* the transaction must be aborted without a final dot */

struct body_writer {
    uint64_t n_bytes;    /* of the body so far, before stuffing */
    bool is_inside_line; /* the last byte was not the LF of a CRLF */
    bool has_cr;         /* a CR is held back until its LF comes */
    bool is_unclean;
};

/* Appends the stuffed chunk.  0, BODY_UNCLEAN (now and ever after), or -ENOMEM. */
MUST_USE int body_writer_write(struct body_writer *writer, struct slice chunk, struct buffer *out);

/* Ends the last line where BDAT left it open, then the lone dot.  0, BODY_UNCLEAN or -ENOMEM. */
MUST_USE int body_writer_end(struct body_writer *writer, struct buffer *out);
