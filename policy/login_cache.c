#include "policy/login_cache.h"

#include <errno.h>

#include "policy/key_table.h"
#include "relay/base/list.h"

struct verified {
    struct key_entry entry; /* by the first 8 bytes of the digest */
    struct list by_age;
    uint8_t digest[DIGEST_BYTES];
    uint32_t credential_id;
    int64_t expires_ms;
};

struct login_cache {
    struct key_table entries;
    struct list by_age; /* oldest first, which is also the order of expiry */
    uint32_t capacity;
};

int login_cache_new(struct login_cache **out, uint32_t capacity)
{
    struct login_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return FAULT(-ENOMEM);
    list_init(&cache->by_age);
    cache->capacity = capacity;
    *out = cache;
    return 0;
}

static void forget(struct login_cache *cache, struct verified *verified)
{
    key_table_remove(&cache->entries, &verified->entry);
    list_remove(&verified->by_age);
    free(verified);
}

static struct verified *oldest(struct login_cache *cache)
{
    return list_is_empty(&cache->by_age)
               ? NULL
               : CONTAINER_OF(cache->by_age.next, struct verified, by_age);
}

struct login_cache *login_cache_free(struct login_cache *cache)
{
    if (!cache)
        return NULL;
    while (oldest(cache))
        forget(cache, oldest(cache));
    key_table_fini(&cache->entries);
    free(cache);
    return NULL;
}

static uint64_t key_of(const uint8_t digest[DIGEST_BYTES])
{
    uint64_t key;

    memcpy(&key, digest, sizeof(key));
    return key;
}

static struct verified *find(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    struct key_entry *entry = key_table_find(&cache->entries, key_of(digest));
    struct verified *verified = entry ? CONTAINER_OF(entry, struct verified, entry) : NULL;

    return verified && secret_equal(verified->digest, digest, DIGEST_BYTES) ? verified : NULL;
}

static void forget_expired(struct login_cache *cache, int64_t now_ms)
{
    while (oldest(cache) && oldest(cache)->expires_ms <= now_ms)
        forget(cache, oldest(cache));
}

uint32_t login_cache_find(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES],
                          int64_t now_ms)
{
    struct verified *verified;

    forget_expired(cache, now_ms);
    verified = find(cache, digest);
    return verified ? verified->credential_id : 0;
}

void login_cache_drop(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES])
{
    struct verified *verified = find(cache, digest);

    if (verified)
        forget(cache, verified);
}

void login_cache_add(struct login_cache *cache, const uint8_t digest[DIGEST_BYTES],
                     uint32_t credential_id, int64_t now_ms)
{
    struct verified *verified;

    login_cache_drop(cache, digest);
    if (oldest(cache) && cache->entries.n_entries >= cache->capacity)
        forget(cache, oldest(cache));
    verified = calloc(1, sizeof(*verified));
    if (!verified)
        return;
    memcpy(verified->digest, digest, DIGEST_BYTES);
    verified->entry.key = key_of(digest);
    verified->credential_id = credential_id;
    verified->expires_ms = now_ms + LOGIN_CACHE_MS;
    if (key_table_add(&cache->entries, &verified->entry) != 0) {
        free(verified);
        return;
    }
    list_append(&cache->by_age, &verified->by_age);
}
