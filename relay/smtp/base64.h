/* Base64 as AUTH uses it (RFC 4648 4, RFC 4954 4): strict.  Padding is required, blanks, foreign
 * letters and stray low bits are errors.
 * Thread: any. */
#pragma once

#include "relay/base/buffer.h"

/* Bytes that out needs for encoded_len octets. */
static inline size_t base64_decoded_size(size_t encoded_len)
{
    return encoded_len / 4 * 3;
}

/* Decodes into out, which has room for base64_decoded_size(encoded.len) bytes; false when encoded
 * is malformed, *len is then untouched.  (Exim CVE-2018-6789 was this size, one short.) */
bool base64_decode(struct slice encoded, char *out, size_t *len);

void base64_encode(struct buffer *out, struct slice bytes);
