#include "signer/key_set.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

struct key_cache {
    atomic_uint n_refs;
    atomic_bool is_bad;
    _Atomic(EVP_PKEY *) key;
};

struct key_set {
    atomic_uint n_refs;
    size_t n_keys, capacity;
    struct signing_key *keys;
};

static const struct {
    const char *ending;
    enum dkim_key_type type;
    bool is_active;
} endings[] = {
    {".rsa.pem",      DKIM_KEY_RSA,     true },
    {".rsa.idle",     DKIM_KEY_RSA,     false},
    {".ed25519.pem",  DKIM_KEY_ED25519, true },
    {".ed25519.idle", DKIM_KEY_ED25519, false},
};
static const char between[] = "._domainkey.";

void key_file_name_print(char out[KEY_FILE_NAME_SIZE], const struct signing_key *key)
{
    _Static_assert(DKIM_NAME_MAX + sizeof(".ed25519.idle") <= KEY_FILE_NAME_SIZE, "NAME_MAX");
    int len =
        snprintf(out, KEY_FILE_NAME_SIZE, "%s%s%s.%s.%s", key->name.selector, between,
                 key->name.domain, dkim_key_type_name(key->type), key->is_active ? "pem" : "idle");

    assert(len < KEY_FILE_NAME_SIZE); /* key_name_set() saw to it */
}

bool key_file_name_parse(const char *file, struct signing_key *out)
{
    struct slice name = slice_of(file);
    ptrdiff_t selector_end = slice_search(name, SLICE_LITERAL(between));
    char why[KEY_WHY_SIZE];

    for (size_t i = 0; selector_end > 0 && i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct slice ending = slice_of(endings[i].ending), domain;

        if (!slice_ends_with_ignoring_case(name, ending))
            continue;
        domain = slice_skip(name, (size_t)selector_end + sizeof(between) - 1);
        if (domain.len <= ending.len)
            return false;
        domain.len -= ending.len;
        out->type = endings[i].type;
        out->is_active = endings[i].is_active;
        return key_name_set(&out->name, domain, slice_head(name, (size_t)selector_end), why);
    }
    return false;
}

static struct key_cache *cache_new(void)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));

    if (cache)
        atomic_init(&cache->n_refs, 0);
    return cache;
}

static void cache_unref(struct key_cache *cache)
{
    if (atomic_fetch_sub(&cache->n_refs, 1) != 1)
        return;
    EVP_PKEY_free(atomic_load(&cache->key)); /* OpenSSL wipes it */
    free(cache);
}

enum key_cache_state key_cache_get(struct key_cache *cache, EVP_PKEY **out)
{
    EVP_PKEY *key = atomic_load_explicit(&cache->key, memory_order_acquire);

    if (key)
        *out = key;
    else if (atomic_load(&cache->is_bad))
        return KEY_CACHE_BAD;
    return key ? KEY_CACHE_READY : KEY_CACHE_EMPTY;
}

EVP_PKEY *key_cache_put(struct key_cache *cache, EVP_PKEY *key)
{
    EVP_PKEY *before = NULL;

    if (atomic_compare_exchange_strong(&cache->key, &before, key))
        return key;
    EVP_PKEY_free(key); /* two workers decoded it at once */
    return before;
}

void key_cache_set_bad(struct key_cache *cache)
{
    atomic_store(&cache->is_bad, true);
}

struct key_set *key_set_new(size_t capacity)
{
    struct key_set *set = calloc(1, sizeof(*set));

    if (!set)
        return NULL;
    atomic_init(&set->n_refs, 1);
    set->capacity = capacity ? capacity : 16;
    set->keys = calloc(set->capacity, sizeof(set->keys[0]));
    if (!set->keys) {
        free(set);
        return NULL;
    }
    return set;
}

struct key_set *key_set_ref(struct key_set *set)
{
    atomic_fetch_add(&set->n_refs, 1);
    return set;
}

struct key_set *key_set_unref(struct key_set *set)
{
    if (!set || atomic_fetch_sub(&set->n_refs, 1) != 1)
        return NULL;
    for (size_t i = 0; i < set->n_keys; i++)
        cache_unref(set->keys[i].cache);
    free(set->keys);
    free(set);
    return NULL;
}

int key_set_add(struct key_set *set, const struct signing_key *key)
{
    struct key_cache *cache = key->cache ? key->cache : cache_new();

    if (!cache)
        return FAULT(-ENOMEM);
    if (set->n_keys == set->capacity) {
        struct signing_key *more = reallocarray(set->keys, set->capacity, 2 * sizeof(set->keys[0]));

        if (!more) {
            if (!key->cache)
                free(cache);
            return FAULT(-ENOMEM);
        }
        set->keys = more;
        set->capacity *= 2;
    }
    atomic_fetch_add(&cache->n_refs, 1);
    set->keys[set->n_keys] = *key;
    set->keys[set->n_keys++].cache = cache;
    return 0;
}

static int compare_names(const struct key_name *a, const struct key_name *b)
{
    int order = strcmp(a->domain, b->domain);

    return order ? order : strcmp(a->selector, b->selector);
}

struct key_set *key_set_copy(const struct key_set *set, const struct key_name *without)
{
    struct key_set *copy = key_set_new(set->n_keys + 1);

    for (size_t i = 0; copy && i < set->n_keys; i++)
        if (!without || compare_names(&set->keys[i].name, without) != 0)
            if (key_set_add(copy, &set->keys[i]))
                copy = key_set_unref(copy);
    return copy;
}

static int compare_keys(const void *a, const void *b)
{
    const struct signing_key *left = a, *right = b;

    return compare_names(&left->name, &right->name);
}

void key_set_sort(struct key_set *set)
{
    qsort(set->keys, set->n_keys, sizeof(set->keys[0]), compare_keys);
}

/* The first place whose key is not before name. */
static size_t lower_bound(const struct key_set *set, const struct key_name *name)
{
    size_t low = 0, high = set->n_keys;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_names(&set->keys[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct signing_key *key_set_at(const struct key_set *set, size_t place)
{
    return place < set->n_keys ? &set->keys[place] : NULL;
}

size_t key_set_first_of(const struct key_set *set, const char *domain)
{
    struct key_name name = {.selector = ""};

    slice_copy_to(slice_of(domain), name.domain, sizeof(name.domain));
    return lower_bound(set, &name);
}

const struct signing_key *key_set_find(const struct key_set *set, const struct key_name *name)
{
    const struct signing_key *key = key_set_at(set, lower_bound(set, name));

    return key && compare_names(&key->name, name) == 0 ? key : NULL;
}

size_t key_set_after(const struct key_set *set, const struct key_name *name)
{
    size_t place = lower_bound(set, name);
    const struct signing_key *key = key_set_at(set, place);

    return key && compare_names(&key->name, name) == 0 ? place + 1 : place;
}

unsigned key_set_active(const struct key_set *set, const char *domain,
                        const struct signing_key *out[KEYS_PER_DOMAIN])
{
    const struct signing_key *rsa = NULL, *ed25519 = NULL, *key;
    unsigned n_found = 0;

    for (size_t i = key_set_first_of(set, domain);
         (key = key_set_at(set, i)) && strcmp(key->name.domain, domain) == 0; i++) {
        const struct signing_key **place = key->type == DKIM_KEY_RSA ? &rsa : &ed25519;

        if (key->is_active && !*place)
            *place = key;
    }
    if (rsa)
        out[n_found++] = rsa;
    if (ed25519)
        out[n_found++] = ed25519;
    return n_found;
}
