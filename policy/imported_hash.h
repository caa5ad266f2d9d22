/* Password hashes made by other programs: crypt(3) strings ($1$ $2a$ $2b$ $2y$ $5$ $6$ $y$, and
 * $argon2id$ $argon2i$) and Dovecot's {SCHEME} strings.  They verify as they are and are replaced
 * by our own argon2id at the first login.  Refused at import: plain text, DES, unknown schemes, and
 * parameters so costly that a login would hold a worker for long.
 * The only file that includes crypt.h.
 * Thread: any; costs CPU, so verify only in the worker pool. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { IMPORTED_HASH_SIZE = 512 };

/* NULL when the hash can be imported; else a sentence that says why not. */
const char *imported_hash_refusal(struct slice hash);

/* False for a wrong password and for anything imported_hash_refusal() would refuse. */
bool imported_hash_verify(struct slice hash, struct slice password);

/* Our own kind at today's cost: needs no new hash after a login. */
bool imported_hash_is_native(struct slice hash);
