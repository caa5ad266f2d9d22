/* The keys of session tickets: one an hour, the two before it still open what they sealed.  All
 * loops and all reloads of the certificates share them, so a client resumes wherever it lands.
 * Old keys are wiped: a stolen memory image opens three hours of TLS 1.2, not the past.
 * Thread: any (a lock held for a copy of 80 bytes); private to relay/net. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "relay/net/tls_context.h"

enum {
    TICKET_NAME_BYTES = 16,
    TICKET_KEY_BYTES = 32,
    TICKET_PERIOD_S = 3600,
    TICKET_PERIOD_MS = 3600000,
    TICKET_N_KEYS = 3
};

struct ticket_key {
    uint8_t name[TICKET_NAME_BYTES];
    uint8_t cipher[TICKET_KEY_BYTES], mac[TICKET_KEY_BYTES];
};

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);

/* The key to seal with now. */
void tls_tickets_current(struct tls_tickets *tickets, int64_t now_ms, struct ticket_key *out);

/* The key named name, if it is not forgotten; *is_current: no need to seal anew. */
bool tls_tickets_find(struct tls_tickets *tickets, int64_t now_ms, const uint8_t *name,
                      struct ticket_key *out, bool *is_current);

/* OpenSSL's callback does the rest; the SSL's app data must lead to tickets through of_ssl. */
void tls_tickets_install(SSL_CTX *context);
struct tls_tickets *tls_tickets_of_ssl(SSL *ssl); /* tls_context.c's */
