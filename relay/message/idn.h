/* Domains as DNS and old servers want them (IDNA 2008, UTS 46 non-transitional).  The only file
 * that includes idn2.h.
 * Thread: any; pure. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { IDN_SIZE = 256 };  /* the longest domain and its NUL */
enum { IDN_INVALID = 1 }; /* no domain at all: bytes, labels or length */

/* ASCII and in lower case; a domain of ASCII passes with underscores and xn-- labels as they are.
 * A trailing dot is invalid.  0, IDN_INVALID or -ENOMEM. */
MUST_USE int idn_to_ascii(struct slice domain, char out[IDN_SIZE]);
