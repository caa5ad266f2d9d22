/* How foreign text gets into a report: through here, or not at all.
 * Thread: any; pure. */
#pragma once

#include "relay/base/buffer.h"

/* Appends text as one line without a control character: those become '?', line ends and tabs
 * blanks; bytes above 127 '?' unless utf8 and well-formed.  At most max bytes, then "...". */
void dsn_append_clean(struct buffer *out, struct slice text, size_t max, bool utf8);

/* The same for xtext (RFC 3461 4), decoded first. */
void dsn_append_xtext(struct buffer *out, struct slice encoded, size_t max, bool utf8);

/* Appends line, broken at blanks so that lines stay under 78 where words allow; next lines begin
 * with indent.  Ends with CRLF. */
void dsn_append_folded(struct buffer *out, struct slice line, const char *indent);
