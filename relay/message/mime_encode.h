/* Quoted-printable and base64 (RFC 2045 6.7, 6.8), written in pieces to a sink; and what makes a
 * body that already claims one of them fit for 7 bits and short lines.
 * Thread: the owner's; pure. */
#pragma once

#include "relay/message/mime.h"

struct mime_writer {
    const struct mime_sink *sink;
    int error;   /* the sink's first -errno; nothing is written after it */
    size_t used; /* of room */
    char room[4096];
};

void mime_write(struct mime_writer *writer, struct slice bytes);
void mime_flush(struct mime_writer *writer);

/* Bytes above 127 as '?': for what no encoding applies to and nobody reads. */
void mime_write_seven_bit(struct mime_writer *writer, struct slice bytes);

/* body: CRLF lines, which stay lines.  No line begins with a dot, "From " or, where this made the
 * line, a hyphen: it cannot become a boundary. */
void mime_write_quoted_printable(struct mime_writer *writer, struct slice body);

/* Without a line end behind the last line. */
void mime_write_base64(struct mime_writer *writer, struct slice body);

/* body claims to be encoded so, but has bytes above 127 or long lines. */
void mime_mend_quoted_printable(struct mime_writer *writer, struct slice body);
void mime_mend_base64(struct mime_writer *writer, struct slice body);
