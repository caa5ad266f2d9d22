#include "relay/net/private_memory.h"

#include <openssl/crypto.h>

#include "relay/base/log.h"

/* Pages are only taken when used.  A decoded RSA-2048 key needs about 1 KiB of it, each TLS
 * handshake 100 bytes while it lasts. */
enum { ARENA_BYTES = 64 * 1024 * 1024, LEAST_BYTES = 32 };

void private_memory_start(void)
{
    /* 2: pages that could not be locked, which are not dumped all the same. */
    if (CRYPTO_secure_malloc_init(ARENA_BYTES, LEAST_BYTES) == 0)
        log_debug("private_memory", "none to be had: keys lie in the heap");
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
}
