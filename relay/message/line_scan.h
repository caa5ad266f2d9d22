/* What a body asks of the next hop: bytes above 127 (8BITMIME), longest line (RFC 5322: 998).
 * Fed in chunks of any size.
 * Thread: any; pure. */
#pragma once

#include "relay/base/slice.h"

enum { LINE_LIMIT = 998 }; /* bytes without CRLF */

struct line_scan {
    bool has_eight_bit;
    size_t longest_line; /* bytes without the line end */
    size_t open_line;    /* bytes of the line that has not ended */
};

bool has_eight_bit(struct slice bytes);
bool is_utf8(struct slice bytes); /* well-formed: no overlong forms, no surrogates */
void line_scan_feed(struct line_scan *scan, struct slice chunk);
