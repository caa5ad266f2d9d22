/* Where OpenSSL keeps private keys: pages of their own that are never dumped, never swapped as far
 * as RLIMIT_MEMLOCK allows, and wiped when freed (OPENSSL_secure_malloc(3)).  Without them, which
 * is a line of debugging, keys lie in the heap.  What OpenSSL frees elsewhere is wiped too: the
 * copies that it makes of a key while it reads one. Thread: before OpenSSL makes or reads a key,
 * and before files are out of reach: its settings are read here too. */
#pragma once

void private_memory_start(void);
