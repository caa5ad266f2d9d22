/* The TXT record that publishes the public half of a key (RFC 6376 3.6.1, RFC 8463 4), in the three
 * shapes that people paste: plain value, strings of at most 255 octets, and a line for BIND.
 * Pure.  Thread: any. */
#pragma once

#include "relay/base/buffer.h"
#include "signer/key_name.h"

/* public_half: the base64 text of p=, as the signer hands it out. */
struct dkim_record {
    struct slice domain, selector;
    enum dkim_key_type type;
    struct slice public_half;
};

void dkim_record_print_name(struct buffer *out, const struct dkim_record *record); /* no last dot */
void dkim_record_print_value(struct buffer *out, const struct dkim_record *record);

/* "v=DKIM1; k=rsa; p=…" "…" */
void dkim_record_print_strings(struct buffer *out, const struct dkim_record *record);

/* s1._domainkey.example.com. IN TXT ( "…" "…" ) */
void dkim_record_print_bind(struct buffer *out, const struct dkim_record *record);
