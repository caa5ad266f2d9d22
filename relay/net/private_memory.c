#include "relay/net/private_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "relay/base/log.h"
#include "relay/base/secret.h"

enum { LEAST_BYTES = 32 };

/* Copies of keys on their way (PEM, DER, numbers) are smaller; larger blocks are what TLS receives
 * and sends, which would cost each record a page or two of zeros. */
enum { WIPED_BYTES = 8192 };

static void *allocate(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return len ? malloc(len) : NULL; /* as OpenSSL's own */
}

static void release(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    if (memory && malloc_usable_size(memory) <= WIPED_BYTES)
        secret_free(memory);
    else
        free(memory);
}

/* realloc() would leave the old block behind as it was. */
static void *grow(void *memory, size_t len, const char *file, int line)
{
    size_t old_len = memory ? malloc_usable_size(memory) : 0;
    void *larger;

    if (len == 0) {
        release(memory, file, line);
        return NULL;
    }
    if (old_len == 0 || old_len > WIPED_BYTES)
        return realloc(memory, len);
    if (len <= old_len)
        return memory;
    larger = malloc(len);
    if (larger) {
        memcpy(larger, memory, old_len);
        release(memory, file, line);
    }
    return larger;
}

void private_memory_start(unsigned bytes)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (CRYPTO_set_mem_functions(allocate, grow, release) == 0)
        log_debug("private_memory", "OpenSSL is in use already: what it frees is not wiped");
#else
    (void)allocate, (void)grow; /* a sanitizer wants to see each block as it was asked for */
#endif
    /* 2: pages that could not be locked, which are not dumped all the same. */
    if (CRYPTO_secure_malloc_init(bytes, LEAST_BYTES) == 0)
        log_debug("private_memory", "none to be had: keys lie in the heap");
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
}

bool private_memory_would_be_swapped(unsigned long limit_bytes, unsigned long swap_bytes)
{
    return swap_bytes > 0 && limit_bytes < PRIVATE_MEMORY_SIGNER;
}

bool private_memory_may_be_swapped(void)
{
    struct rlimit limit;
    struct sysinfo system;

    return getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || sysinfo(&system) < 0 ||
           private_memory_would_be_swapped(limit.rlim_cur, system.totalswap);
}
