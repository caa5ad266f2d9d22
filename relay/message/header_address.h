/* The addresses in a From or Sender field: RFC 5322 3.4 with groups, comments, quoted strings,
 * routes and folding, RFC 6532 for UTF-8.  Display names are read leniently (`Acme, Inc. <a@b>`),
 * addresses strictly: what cannot be read for sure is reported, never guessed.
 * Thread: any; pure. */
#pragma once

#include "relay/base/arena.h"

struct header_addresses {
    struct slice *list; /* the caller's room; slices look into the arena */
    unsigned n, capacity;
    bool is_malformed; /* nothing found, too many, or something ambiguous */
};

/* Adds the addresses of value (folded or not).  0, or -ENOMEM. */
MUST_USE int header_read_addresses(struct slice value, struct arena *arena,
                                   struct header_addresses *out);
