/* The relaxed forms of RFC 6376, 3.4.2 and 3.4.4: what is hashed is not what is sent, but what
 * survives the usual mangling of blanks on the way.
 * Input is CRLF lines; a CR or LF alone is an ordinary octet.  No I/O.  Thread: any. */
#pragma once

#include <openssl/evp.h>

#include "relay/base/buffer.h"
#include "relay/base/fault.h"
#include "relay/base/slice.h"

/* One header field as it stands: folded lines, without the last CRLF. */
struct dkim_field {
    struct slice name;  /* without blanks before the colon; empty when there is no colon */
    struct slice value; /* behind the colon */
};

/* Takes the first field off *rest; false when none is left or an empty line is next. */
bool dkim_field_next(struct slice *rest, struct dkim_field *out);

/* Appends "name:value" in relaxed form, without CRLF. */
void canonical_header(struct buffer *out, const struct dkim_field *field);

/* Bytes of the header block up to and including the empty line that ends it, or -1: not yet. */
ptrdiff_t dkim_header_end(struct slice bytes);

/* A body in relaxed form, chunk by chunk, into a digest: blanks at line ends go, runs of them
 * become one space, empty lines at the end go, the last line gets its CRLF. */
enum { CANONICAL_OUTPUT_BYTES = 8192 };
struct canonical_body {
    EVP_MD_CTX *digest; /* the caller's */
    size_t n_line_ends; /* CRLFs held back: they count only if more follows */
    bool has_blank;     /* so is a run of blanks */
    bool has_cr;        /* and a CR, until the next octet is seen */
    bool has_output;    /* anything stayed so far */
    bool failed;        /* the digest refused */
    size_t used;
    char output[CANONICAL_OUTPUT_BYTES];
};

void canonical_body_init(struct canonical_body *body, EVP_MD_CTX *digest);
void canonical_body_add(struct canonical_body *body, struct slice chunk);
MUST_USE int canonical_body_end(struct canonical_body *body); /* 0 or -EIO */
