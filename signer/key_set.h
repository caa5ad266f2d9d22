/* The keys at one moment, sorted by domain and selector, and the cache of decoded ones.
 * Thread: a set is filled by one thread and read-only once published; a cache is shared. */
#pragma once

#include <openssl/evp.h>

#include "relay/base/fault.h"
#include "signer/key_name.h"

struct key_set;

struct signing_key {
    struct key_name name;
    enum dkim_key_type type;
    bool is_active;
    struct key_cache *cache; /* the decoded key, shared by all sets that have it */
};

struct key_set *key_set_ref(struct key_set *set);
struct key_set *key_set_unref(struct key_set *set); /* accepts NULL, returns NULL */

/* The keys that sign for domain, RSA first; returns how many (0 to 2).  Good while set is held. */
enum { KEYS_PER_DOMAIN = 2 };
unsigned key_set_active(const struct key_set *set, const char *domain,
                        const struct signing_key *out[KEYS_PER_DOMAIN]);

/* The one key of that name, active or not, or NULL. */
const struct signing_key *key_set_find(const struct key_set *set, const struct key_name *name);

/* By place; NULL behind the last.  first_of: the place of a domain's first key (or where it would
 * be); after: of the first key that sorts behind name. */
const struct signing_key *key_set_at(const struct key_set *set, size_t place);
size_t key_set_first_of(const struct key_set *set, const char *domain);
size_t key_set_after(const struct key_set *set, const struct key_name *name);

/* For key_store.c: a set is made, filled, sorted, published. */
struct key_set *key_set_new(size_t capacity); /* NULL without memory */
struct key_set *key_set_copy(const struct key_set *set, const struct key_name *without);
MUST_USE int key_set_add(struct key_set *set, const struct signing_key *key); /* 0 or -ENOMEM */
void key_set_sort(struct key_set *set);

enum key_cache_state { KEY_CACHE_EMPTY, KEY_CACHE_READY, KEY_CACHE_BAD };
enum key_cache_state key_cache_get(struct key_cache *cache, EVP_PKEY **out);
EVP_PKEY *key_cache_put(struct key_cache *cache, EVP_PKEY *key); /* takes key; returns the first */
void key_cache_set_bad(struct key_cache *cache);

/* SELECTOR._domainkey.DOMAIN.TYPE.pem, or .idle; parse fills name, type and is_active. */
enum { KEY_FILE_NAME_SIZE = 256 };
void key_file_name_print(char out[KEY_FILE_NAME_SIZE], const struct signing_key *key);
bool key_file_name_parse(const char *file, struct signing_key *out);
