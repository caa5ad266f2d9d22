/* The organisational domain: "shop.example.co.uk" belongs to "example.co.uk".  A From-domain
 * without a key of its own is signed for by this one.  The only file that includes libpsl.
 * Thread: any, after public_suffix_open(). */
#pragma once

#include "relay/base/fault.h"
#include "signer/key_name.h"

struct public_suffix; /* the list, read once */

MUST_USE int public_suffix_open(struct public_suffix **out); /* 0, -ENOENT: no list, or -ENOMEM */
struct public_suffix *public_suffix_close(struct public_suffix *list); /* accepts NULL */

/* False when domain is itself a public suffix.  list may be NULL: always false. */
bool public_suffix_organisational(const struct public_suffix *list, const char *domain,
                                  char out[DKIM_DOMAIN_SIZE]);
