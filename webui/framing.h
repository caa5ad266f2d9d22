/* What an HTTP request's header must look like before any handler sees it: libmicrohttpd 0.9.75
 * lets pass what request smuggling is made of (RFC 9112 6.3, 11.2).  Pure.  Thread: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMING_MAX_HEADER = 8 * 1024 }; /* bytes of names and values */

/* Zeroed, then told every field. */
struct framing {
    unsigned n_content_length, n_transfer_encoding, n_host, n_authorization;
    size_t header_bytes;
    uint64_t content_length;
    bool is_malformed; /* a name that is no token, a coding that we do not take */
};

void framing_note(struct framing *framing, const char *name, const char *value);

/* The status and stable code of a refusal, or 0. */
struct framing_verdict {
    unsigned status;
    const char *code, *detail;
};
struct framing_verdict framing_judge(const struct framing *framing, uint64_t max_body);

/* Percent-decodes in place and returns the length.  %00 stays as it stands: it would cut a path
 * short, and with it the name of what is to be deleted. */
size_t framing_unescape(char *text);
