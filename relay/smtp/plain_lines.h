/* How far a body needs no change and no second look: whole CRLF lines, and the beginning of one,
 * without bare CR or LF, without NUL, and where dots are stuffed without a line that begins with
 * one.  Nearly all mail is such lines from end to end, so body_reader and body_writer take them at
 * a stretch and keep their careful way, octet by octet, for the rest.
 * Thread: any; pure.  RFC 5321 4.5.2. */
#pragma once

#include "relay/base/slice.h"

struct plain_lines {
    size_t line_octets;  /* of the line that is open; 0: a line begins */
    size_t longest_line; /* octets with CRLF, of those that ended here */
    size_t line_limit;   /* a line that would get longer, with its CRLF, ends the stretch before */
    bool stops_at_dots;
    bool is_eight_bit; /* an octet above 0x7f is in the stretch, or was before */
};

/* Octets of text that are plain; the open line and the facts go on from call to call. */
size_t plain_lines_take(struct plain_lines *lines, struct slice text);
