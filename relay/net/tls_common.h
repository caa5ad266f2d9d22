/* What server and client contexts share.  Thread: any; private to relay/net. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "relay/net/tls_context.h"

/* TLS 1.2 and 1.3, ECDHE with AEAD.  is_lenient adds what old receivers still need, for the
 * opportunistic client only: worse encryption is better than none (RFC 7435).  0 or -errno. */
MUST_USE int tls_common_settings(SSL_CTX *context, bool is_lenient);

/* "prefix: what OpenSSL said last"; empties OpenSSL's error queue. */
void tls_explain(char *why, size_t size, const char *prefix);

/* Never asks a terminal for the pass phrase of a key. */
int tls_no_pass_phrase(char *buffer, int size, int is_writing, void *argument);
