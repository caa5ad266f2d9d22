/* Which fields of a message are signed, in which order, and how they are canonicalised together:
 * the h= list and the bytes it stands for (RFC 6376, 5.4).  Thread: the owner's. */
#pragma once

#include "relay/base/buffer.h"
#include "signer/canonical.h"

/* Instances beyond go unsigned; a real message has one or two of each. */
enum { SIGNED_FIELDS_MAX = 128, SIGNED_NAMES = 21 };

struct signed_name {
    const char *name;   /* lower case */
    bool is_oversigned; /* named once more than present: adding one breaks the signature */
};
extern const struct signed_name signed_names[SIGNED_NAMES];

/* The place of a field's name in signed_names; SIGNED_NAMES when it is not to be signed. */
unsigned signed_name_find(struct slice name);

struct signed_headers {
    struct buffer matches; /* struct signed_match; kept from message to message */
    uint8_t names[SIGNED_FIELDS_MAX + SIGNED_NAMES]; /* h=, as places in signed_names */
    unsigned n_names;
    struct buffer canonical; /* "name:value\r\n"… in the order of names */
};

void signed_headers_fini(struct signed_headers *headers);

/* From the fields of prefix and block, in this order from the top.  0 or -ENOMEM. */
MUST_USE int signed_headers_collect(struct signed_headers *headers, struct slice prefix,
                                    struct slice block);
