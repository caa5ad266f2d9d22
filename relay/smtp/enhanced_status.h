/* Enhanced mail system status codes: "5.1.1" (RFC 3463, RFC 2034).
 * Thread: any; values only. */
#pragma once

#include "relay/base/buffer.h"

struct enhanced_status {
    uint8_t class; /* 2, 4 or 5; 0: there is none */
    uint16_t subject, detail;
};

/* Reads a code at the start of *text and steps over it and the blanks behind it; without a
 * well-formed one returns false and touches nothing.
 * status-code = class "." subject "." detail   (class 2, 4, 5; the others 1*3DIGIT) */
bool enhanced_status_read(struct slice *text, struct enhanced_status *status);

/* Appends "5.1.1"; nothing when there is none. */
void enhanced_status_print(struct buffer *out, struct enhanced_status status);

static inline bool enhanced_status_equal(struct enhanced_status a, struct enhanced_status b)
{
    return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}
