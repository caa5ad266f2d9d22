/* TLS sessions kept for reuse by the client side: bounded, the least recently stored goes first.
 * TLS 1.3 tickets are handed out once (RFC 8446 C.4), TLS 1.2 sessions again and again.
 * Thread: the loop's; private to relay/net. */
#pragma once

#include <openssl/ssl.h>

#include "relay/base/list.h"
#include "relay/base/slice.h"

enum { SESSION_CACHE_BUCKETS = 512, SESSION_CACHE_LIMIT = 1024 };

struct session_cache {
    struct list buckets[SESSION_CACHE_BUCKETS];
    struct list oldest_first;
    size_t n_sessions;
};

void session_cache_init(struct session_cache *cache);
void session_cache_fini(struct session_cache *cache);

/* Takes session over when it returns true. */
bool session_cache_store(struct session_cache *cache, struct slice key, SSL_SESSION *session);

/* A reference for the caller, or NULL. */
SSL_SESSION *session_cache_take(struct session_cache *cache, struct slice key);
