/* The DKIM-Signature field (RFC 6376, 3.5) as text, folded at 78 octets.  Pure.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"
#include "signer/signed_headers.h"

struct signature_fields {
    const char *algorithm; /* "rsa-sha256" */
    const char *domain, *selector;
    int64_t now_s;      /* t= */
    uint32_t life_s;    /* 0: no x= */
    const char *digest; /* bh=, base64 */
    const struct signed_headers *headers;
};

/* "DKIM-Signature: v=1; …; b=", ready for signature_text_end() and to be canonicalised as it is:
 * b= is empty while it is signed. */
void signature_text_begin(struct buffer *out, const struct signature_fields *fields);

/* The signature in base64, folded, and the CRLF. */
void signature_text_end(struct buffer *out, const char *signature);
