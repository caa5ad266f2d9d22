/* Where OpenSSL keeps private keys: pages of their own that are never dumped, never swapped as far
 * as RLIMIT_MEMLOCK allows, and wiped when freed (OPENSSL_secure_malloc(3)).  Without them, which
 * is an event, keys lie in the heap as before.
 * Thread: before OpenSSL makes or reads a key, and before files are out of reach: its settings are
 * read here too. */
#pragma once

void private_memory_start(void);
