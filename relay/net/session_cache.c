#include "relay/net/session_cache.h"

#include "relay/base/fault.h"
#include "relay/base/secret.h"

struct cached_session {
    struct list in_bucket, in_age;
    SSL_SESSION *session;
    size_t key_len;
    char key[];
};

void session_cache_init(struct session_cache *cache)
{
    for (size_t i = 0; i < SESSION_CACHE_BUCKETS; i++)
        list_init(&cache->buckets[i]);
    list_init(&cache->oldest_first);
    cache->n_sessions = 0;
}

static void forget(struct session_cache *cache, struct cached_session *cached)
{
    list_remove(&cached->in_bucket);
    list_remove(&cached->in_age);
    cache->n_sessions--;
    SSL_SESSION_free(cached->session);
    free(cached);
}

void session_cache_fini(struct session_cache *cache)
{
    LIST_FOR_EACH(links, &cache->oldest_first)
    forget(cache, CONTAINER_OF(links, struct cached_session, in_age));
}

static struct list *bucket_of(struct session_cache *cache, struct slice key)
{
    return &cache->buckets[table_hash(key) % SESSION_CACHE_BUCKETS];
}

static struct cached_session *find(struct list *bucket, struct slice key)
{
    LIST_FOR_EACH(links, bucket)
    {
        struct cached_session *cached = CONTAINER_OF(links, struct cached_session, in_bucket);

        if (slice_equal(key, slice_from(cached->key, cached->key_len)))
            return cached;
    }
    return NULL;
}

static struct cached_session *make_room(struct session_cache *cache, struct slice key)
{
    struct cached_session *old = find(bucket_of(cache, key), key);

    if (old)
        forget(cache, old);
    else if (cache->n_sessions >= SESSION_CACHE_LIMIT)
        forget(cache, CONTAINER_OF(cache->oldest_first.next, struct cached_session, in_age));
    return malloc(sizeof(struct cached_session) + key.len);
}

bool session_cache_store(struct session_cache *cache, struct slice key, SSL_SESSION *session)
{
    struct cached_session *cached = make_room(cache, key);

    if (!cached)
        return false;
    cached->session = session;
    cached->key_len = key.len;
    memcpy(cached->key, key.data, key.len);
    list_append(bucket_of(cache, key), &cached->in_bucket);
    list_append(&cache->oldest_first, &cached->in_age);
    cache->n_sessions++;
    return true;
}

SSL_SESSION *session_cache_take(struct session_cache *cache, struct slice key)
{
    struct cached_session *cached = find(bucket_of(cache, key), key);
    SSL_SESSION *session;

    if (!cached)
        return NULL;
    session = cached->session;
    SSL_SESSION_up_ref(session);
    if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION ||
        !SSL_SESSION_is_resumable(session))
        forget(cache, cached);
    return session;
}
