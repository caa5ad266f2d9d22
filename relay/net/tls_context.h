/* TLS settings that many connections share.  Server: certificates chosen by SNI, tickets that work
 * on every loop and after a reload.  Client: opportunistic or verifying, with a bounded cache of
 * sessions.  TLS 1.2 and 1.3, ECDHE with AEAD only, no compression, no renegotiation, no early
 * data (threats.md T1; RFC 9325, RFC 8446, RFC 5077).
 * Thread: server contexts and tickets are immutable or locked inside, any; a tls_client belongs to
 * one loop. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct tls_context; /* server side, reference-counted, immutable */
struct tls_tickets; /* keys of session tickets; one per process, outlives contexts by reference */
struct tls_client;  /* client side, one per loop and policy */

enum { TLS_WHY_SIZE = 256 };

MUST_USE int tls_tickets_new(struct tls_tickets **out);             /* 0 or -errno */
struct tls_tickets *tls_tickets_unref(struct tls_tickets *tickets); /* NULL in, NULL out */

/* One certificate chain with its key, PEM; the bytes are not kept. */
struct tls_identity {
    const char *name; /* as in the settings: "default" answers any SNI and none */
    struct slice certificate_pem, key_pem;
};

/* SNI picks the identity whose name, or a name in its certificate (one wildcard label too), is
 * asked for; else "default", or the first.  n ≥ 1.  0 or -errno; why gets one sentence that names
 * the identity (not loadable, key does not match, expired is only a warning of the caller's). */
MUST_USE int tls_server_context_new(struct tls_context **out, const struct tls_identity *identities,
                                    size_t n, struct tls_tickets *tickets, char why[TLS_WHY_SIZE]);
struct tls_context *tls_context_ref(struct tls_context *context);
struct tls_context *tls_context_unref(struct tls_context *context); /* NULL in, NULL out */

/* A new P-256 key and a self-signed certificate for host, ten years, as PEM from malloc();
 * the caller frees both and wipes the key.  0 or -errno. */
struct tls_pem {
    char *certificate, *key;
};
MUST_USE int tls_make_self_signed(const char *host, struct tls_pem *out);
void tls_pem_fini(struct tls_pem *pem);

/* When the first certificate of the PEM ends, UTC ms; -EINVAL when it is none. */
MUST_USE int tls_certificate_expiry(struct slice certificate_pem, int64_t *utc_ms);

enum tls_client_policy {
    TLS_CLIENT_MAY,    /* encrypt, ask nothing about the certificate (RFC 7435) */
    TLS_CLIENT_VERIFY, /* chain to a known authority, and the host's name */
    TLS_CLIENT_LOOK,   /* as MAY, and stream_tls_trouble() says what VERIFY would say */
};

/* authorities_pem: trusted instead of the system's; .len 0: the system's.  0 or -errno, why. */
MUST_USE int tls_client_new(struct tls_client **out, enum tls_client_policy policy,
                            struct slice authorities_pem, char why[TLS_WHY_SIZE]);
struct tls_client *tls_client_free(struct tls_client *client); /* after its streams; NULL ok */
size_t tls_client_n_sessions(const struct tls_client *client); /* kept for reuse */

/* ---- for stream.c alone ---- */
struct ssl_st;
struct ssl_st *tls_server_ssl(struct tls_context *context); /* NULL without memory */

/* reuse_key names what a stored session may be reused for: host and address. */
struct ssl_st *tls_client_ssl(struct tls_client *client, const char *name, struct slice reuse_key);
/* When the connection ends: gives up what tls_client_ssl() attached. */
void tls_ssl_free(struct ssl_st *ssl);
