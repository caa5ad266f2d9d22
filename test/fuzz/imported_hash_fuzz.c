/* Any hash to be imported: a login never pays more for it than the bounds say.  The libraries that
 * would do the work are stood in for; each looks at what it is asked, by a reading of its own. */
#include "test/fuzz/fuzz.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "policy/imported_hash.h"

enum {
    MOST_BCRYPT_COST = 14,
    MOST_ROUNDS = 1000000,
    MOST_KIB = 256 * 1024,
    MOST_KIB_PASSES = 1024 * 1024,
};

static unsigned n_asked;

/* Position in crypt's alphabet. */
static unsigned crypt_digit(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (unsigned)(at - digits) : 64;
}

/* What libxcrypt would spend: it refuses what it cannot read, so only readable ones count. */
char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    unsigned cost = 0;
    unsigned long rounds = 0;

    (void)phrase, (void)data, (void)size;
    n_asked++;
    if (sscanf(setting, "$2%*1[aby]$%2u$", &cost) == 1)
        PROMISE(cost <= MOST_BCRYPT_COST);
    if (sscanf(setting, "$%*1[56]$rounds=%lu$", &rounds) == 1)
        PROMISE(rounds <= MOST_ROUNDS);
    if (strncmp(setting, "$y$j", 4) == 0) {
        /* yescrypt: N = 2^(1 + digit), 128 * r * N bytes */
        PROMISE(crypt_digit(setting[4]) + 1 <= 14 && crypt_digit(setting[5]) + 1 <= 32);
        PROMISE(setting[6] == '$');
    }
    return NULL;
}

int crypto_pwhash_str_verify(const char hash[crypto_pwhash_STRBYTES], const char *const password,
                             unsigned long long len)
{
    unsigned long long kib = 0, passes = 0;

    (void)password, (void)len;
    n_asked++;
    if (sscanf(hash, "$argon2%*[id]$v=%*u$m=%llu,t=%llu", &kib, &passes) == 2) {
        PROMISE(kib <= MOST_KIB && passes <= UINT32_MAX);
        PROMISE(kib * passes <= MOST_KIB_PASSES);
    }
    return -1;
}

int PKCS5_PBKDF2_HMAC(const char *password, int password_len, const unsigned char *salt,
                      int salt_len, int rounds, const EVP_MD *digest, int len, unsigned char *out)
{
    (void)password, (void)password_len, (void)salt, (void)digest;
    n_asked++;
    PROMISE(rounds > 0 && rounds <= MOST_ROUNDS && salt_len >= 0);
    memset(out, 0, (size_t)len);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice hash = slice_from(data, size);
    const char *refusal = imported_hash_refusal(hash);
    bool is_good;

    n_asked = 0;
    is_good = imported_hash_verify(hash, SLICE_LITERAL("password"));
    PROMISE(!refusal || (!is_good && n_asked == 0));
    if (!refusal) {
        PROMISE(size > 0 && size < IMPORTED_HASH_SIZE);
        for (size_t i = 0; i < size; i++)
            PROMISE(data[i] > ' ' && data[i] < 0x7f);
    }
    return 0;
}
