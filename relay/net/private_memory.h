/* Where OpenSSL keeps private keys: pages of their own that are never dumped, never swapped as far
 * as RLIMIT_MEMLOCK allows, and wiped when freed (OPENSSL_secure_malloc(3)).  Without them, which
 * is a line of debugging, keys lie in the heap.  What OpenSSL frees elsewhere is wiped too: the
 * copies that it makes of a key while it reads one. Thread: before OpenSSL makes or reads a key,
 * and before files are out of reach: its settings are read here too. */
#pragma once

#include <stdbool.h>

/* Bytes, powers of two.  Pages are only taken when used.  A TLS handshake needs 100 of them while
 * it lasts, with the old suites of the opportunistic client 1,000; a decoded RSA-2048 key 1,000.
 * The relay's share fits what every process may lock, 8 MiB. */
enum { PRIVATE_MEMORY_RELAY = 4 << 20, PRIVATE_MEMORY_SIGNER = 64 << 20 };

void private_memory_start(unsigned bytes);

/* What RLIMIT_MEMLOCK must be for both to be locked: the parent raises it while it may. */
enum { PRIVATE_MEMORY_LIMIT = 72 << 20 };

/* Is there swap space, and the limit too small to keep the signer's keys out of it? */
bool private_memory_may_be_swapped(void);
bool private_memory_would_be_swapped(unsigned long limit_bytes,
                                     unsigned long swap_bytes); /* pure */
