/* Random bytes, keyed hashes, and memory that is wiped: the one door to libsodium.
 * Thread: any, after secret_start(). */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { HASH_KEY_BYTES = 32, DIGEST_BYTES = 32, SHORT_HASH_KEY_BYTES = 16 };

/* Once per process, before anything else here; 0 or -EIO. */
MUST_USE int secret_start(void);

void random_bytes(void *out, size_t len);

/* BLAKE2b-256 of bytes under key: cached credentials, tokens. */
void keyed_digest(uint8_t out[DIGEST_BYTES], const uint8_t key[HASH_KEY_BYTES], struct slice bytes);

/* SHA-256, of what cannot be guessed: secrets that were random bytes. */
void plain_digest(uint8_t out[DIGEST_BYTES], struct slice bytes);

/* SipHash-2-4 under a key made at start: hash tables that a peer cannot flood. */
uint64_t table_hash(struct slice bytes);
uint64_t table_hash_ignoring_case(struct slice bytes);

/* Leaves the pages that hold memory out of every dump (MADV_DONTDUMP); its neighbours on the first
 * and last page too, which costs a dump nothing but those. */
void secret_hide(void *memory, size_t len);
void secret_wipe(void *memory, size_t len);
void secret_free(
    void *memory); /* free() that wipes all of the block; for libraries that take one */
bool secret_equal(const void *a, const void *b, size_t len); /* time independent of the bytes */

/* argon2id, 19 MiB, t=2, p=1 (OWASP): about 20 ms and 19 MiB each, so only in the worker pool. */
enum { PASSWORD_HASH_SIZE = 128 };
MUST_USE int password_hash(char out[PASSWORD_HASH_SIZE], struct slice password);
bool password_verify_argon2(const char *hash, struct slice password);
