/* What a DKIM key is called: the domain it signs for (d=), its selector (s=), its type.  Names come
 * from operators and from mail, and become file and DNS names: only what key_name_check() accepts
 * may go further.  Pure.  Thread: any. */
#pragma once

#include <stdbool.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum dkim_key_type { DKIM_KEY_RSA = 1, DKIM_KEY_ED25519 = 2 };

/* "selector._domainkey.domain" is a DNS name (253 octets) and, with an ending, a file name. */
enum { DKIM_DOMAIN_SIZE = 254, DKIM_SELECTOR_SIZE = 128, DKIM_NAME_MAX = 240 };

enum { KEY_WHY_SIZE = 160 }; /* room for a sentence that says what is wrong */

struct key_name {
    char domain[DKIM_DOMAIN_SIZE]; /* lower case, A-labels, no trailing dot */
    char selector[DKIM_SELECTOR_SIZE];
};

/* Lowers the case into *out.  False when a label is empty, above 63 octets or has anything but
 * letters, digits, - and _, or when the whole is too long; why then says so in words. */
MUST_USE bool key_name_set(struct key_name *out, struct slice domain, struct slice selector,
                           char why[KEY_WHY_SIZE]);

/* The domain alone, by the same rules. */
MUST_USE bool key_domain_set(char out[DKIM_DOMAIN_SIZE], struct slice domain,
                             char why[KEY_WHY_SIZE]);

/* "rsa", "ed25519": as in k= and in names of files. */
const char *dkim_key_type_name(enum dkim_key_type type);
