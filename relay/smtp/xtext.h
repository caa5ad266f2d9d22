/* xtext: how parameters carry any octet (RFC 3461 4).  "+" and "=" and what is not printable are
 * written "+XX".
 * Thread: any. */
#pragma once

#include "relay/base/buffer.h"

/* xtext = *( %x21-2A / %x2C-3C / %x3E-7E / "+" 2HEXDIG upper case )
 * Decodes into out, which has room for encoded.len bytes; false when encoded is not xtext. */
bool xtext_decode(struct slice encoded, char *out, size_t *len);

void xtext_encode(struct buffer *out, struct slice bytes);

/* Whether encoded is xtext of printable ASCII alone: what ENVID and ORCPT may say (RFC 3461 4.2,
 * 4.4).  A decoded CR LF would be a line of a report (Exim CVE-2020-28021). */
bool xtext_is_printable(struct slice encoded);
