/* A message for a hop without 8BITMIME (RFC 6152 3): the body of every MIME part that has bytes
 * above 127 or lines over 998 becomes quoted-printable (text) or base64 (all else), its
 * Content-Transfer-Encoding is replaced or added, nested parts and message/rfc822 included.  All
 * other bytes pass unchanged; header bytes above 127 are left alone (they need SMTPUTF8), and
 * `has_eight_bit_left` tells whether there were any.
 * The result differs from what was stored, so it is signed anew.
 * Thread: any; pure, but a long message takes its time: above a few 100 KiB use a worker. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { MIME_MAX_DEPTH = 20 };

/* Cannot be told in 7 bits: nested too deep, a multipart without usable boundary, message/partial,
 * an encoding we do not know.  RFC 3463: 5.6.3. */
enum { MIME_UNCONVERTIBLE = 1 };

struct mime_sink {
    int (*write)(void *owner, struct slice bytes); /* 0, or -errno which ends the conversion */
    void *owner;
};

struct mime_result {
    bool has_eight_bit_left; /* in some header, or in what no encoding applies to */
    unsigned n_encoded;      /* parts that were encoded */
};

/* message: header block and body, CRLF lines.  0, MIME_UNCONVERTIBLE, or the sink's -errno;
 * unless 0, what was written so far is worthless. */
MUST_USE int mime_to_seven_bit(struct slice message, const struct mime_sink *sink,
                               struct mime_result *result);
