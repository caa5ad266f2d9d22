/* What the header of a message or part says of its body: Content-Type, Content-Transfer-Encoding.
 * RFC 2045, 2046.
 * Thread: any; pure. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum mime_kind {
    MIME_TEXT,
    MIME_OTHER,
    MIME_MULTIPART,
    MIME_MESSAGE, /* message/rfc822: a message inside */
    MIME_PARTIAL  /* message/partial: must not be touched (RFC 2046 5.2.2) */
};

enum mime_encoding {
    MIME_IDENTITY, /* none, 7bit, 8bit, binary */
    MIME_QUOTED_PRINTABLE,
    MIME_BASE64,
    MIME_STRANGE /* x-uuencode and the like: cannot be encoded again */
};

enum { MIME_BOUNDARY_SIZE = 256 };

struct mime_entity {
    enum mime_kind kind;
    enum mime_encoding encoding;
    bool has_type, has_version;
    bool is_digest;   /* multipart/digest: its parts are messages unless they say otherwise */
    bool is_labelled; /* 8bit or binary: not for a hop that takes 7 bits */
    char boundary[MIME_BOUNDARY_SIZE]; /* empty: none, or none to be used */
};

/* default_kind: what a header without Content-Type means.  0 or -ENOMEM. */
MUST_USE int mime_read_entity(struct slice header, enum mime_kind default_kind,
                              struct mime_entity *entity);
