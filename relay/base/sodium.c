/* The only file that includes sodium.h. */
#include "relay/base/secret.h"

#include <errno.h>
#include <malloc.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARGON2_MEMORY_BYTES = 19 * 1024 * 1024, ARGON2_PASSES = 2 };

static uint8_t table_key[SHORT_HASH_KEY_BYTES];

int secret_start(void)
{
    if (sodium_init() < 0)
        return FAULT(-EIO);
    randombytes_buf(table_key, sizeof(table_key));
    return 0;
}

void random_bytes(void *out, size_t len)
{
    randombytes_buf(out, len);
}

void keyed_digest(uint8_t out[DIGEST_BYTES], const uint8_t key[HASH_KEY_BYTES], struct slice bytes)
{
    crypto_generichash(out, DIGEST_BYTES, (const uint8_t *)bytes.data, bytes.len, key,
                       HASH_KEY_BYTES);
}

void plain_digest(uint8_t out[DIGEST_BYTES], struct slice bytes)
{
    crypto_hash_sha256(out, (const uint8_t *)bytes.data, bytes.len);
}

uint64_t table_hash(struct slice bytes)
{
    uint64_t hash;

    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)bytes.data, bytes.len, table_key);
    return hash;
}

uint64_t table_hash_ignoring_case(struct slice bytes)
{
    char lower[512];
    size_t len = bytes.len < sizeof(lower) ? bytes.len : sizeof(lower);

    for (size_t i = 0; i < len; i++)
        lower[i] = ascii_lower(bytes.data[i]);
    return table_hash(slice_from(lower, len));
}

void secret_hide(void *memory, size_t len)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t before = (uintptr_t)memory % page; /* of the first page */

    if (memory) /* where it fails, no dump is made anyway: net/privileges.h */
        (void)madvise((char *)memory - before, before + len, MADV_DONTDUMP);
}

void secret_wipe(void *memory, size_t len)
{
    sodium_memzero(memory, len);
}

void secret_free(void *memory)
{
    if (memory)
        sodium_memzero(memory, malloc_usable_size(memory));
    free(memory);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

int password_hash(char out[PASSWORD_HASH_SIZE], struct slice password)
{
    _Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for the encoded hash");

    if (crypto_pwhash_str_alg(out, password.data, password.len, ARGON2_PASSES, ARGON2_MEMORY_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return FAULT(-ENOMEM);
    return 0;
}

bool password_verify_argon2(const char *hash, struct slice password)
{
    return crypto_pwhash_str_verify(hash, password.data, password.len) == 0;
}
