/* DKIM signatures (RFC 6376, RFC 8463) by our own hand: relaxed/relaxed, SHA-256, one
 * canonicalisation for all keys of the domain.  d= is the domain, no i=, no l=, x= only if asked.
 * Thread: one desk per thread. */
#pragma once

#include "signer/key_store.h"
#include "signer/message_reader.h"

struct sign_input {
    struct slice prefix;            /* fields in front of the message's own */
    struct message_reader *message; /* started */
    const char *domain;
    const struct signing_key *keys[KEYS_PER_DOMAIN];
    EVP_PKEY *privates[KEYS_PER_DOMAIN]; /* decoded, in the same order */
    unsigned n_keys;
    int64_t now_s; /* UTC */
    uint32_t life_s;
};

struct signing_desk; /* digests and buffers, kept from message to message */

MUST_USE int signing_desk_new(struct signing_desk **out);          /* 0 or -ENOMEM */
struct signing_desk *signing_desk_free(struct signing_desk *desk); /* accepts NULL */

/* Appends one "DKIM-Signature: …\r\n" per key, in their order; nothing before the whole message is
 * read and found to be what was stored.  0; -EILSEQ: damaged; -EFBIG: header block too long; or
 * another -errno; out may then have grown. */
MUST_USE int sign_natively(struct signing_desk *desk, const struct sign_input *input,
                           struct buffer *out);
