/* Which credentials were right a moment ago, so that a thousand short connections do not cost a
 * thousand hashes.  Only successes, only keyed digests of them, for at most 5 minutes; whoever asks
 * compares the credential with the present snapshot before believing it.
 * Thread: the owner's (policy thread); pure, the clock is an argument. */
#pragma once

#include "relay/base/secret.h"

enum { LOGIN_CACHE_MS = 300 * 1000 };

struct login_cache;

/* The oldest entry makes room when `capacity` is reached. */
MUST_USE int login_cache_new(struct login_cache **out, uint32_t capacity);
struct login_cache *login_cache_free(struct login_cache *cache); /* accepts NULL, returns NULL */

/* The credential's id, or 0 when there is none or it is over 5 minutes old. */
uint32_t login_cache_find(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES],
                          int64_t now_ms);

/* Remembers a success; without memory it does not. */
void login_cache_add(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES],
                     uint32_t credential_id, int64_t now_ms);

/* Harmless when it is not there. */
void login_cache_drop(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES]);
