#include "relay/net/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "relay/net/tls_common.h"
#include "relay/net/tls_tickets.h"

enum { SESSION_CACHE_SIZE = 10000, SESSION_SECONDS = 2 * TICKET_PERIOD_S };

struct identity {
    char *name;
    SSL_CTX *ssl_context;
};

struct tls_context {
    atomic_uint n_refs;
    struct tls_tickets *tickets;
    size_t n_identities;
    struct identity *preferred; /* "default", or the first */
    struct identity identities[];
};

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add(&context->n_refs, 1);
    return context;
}

struct tls_context *tls_context_unref(struct tls_context *context)
{
    if (!context || atomic_fetch_sub(&context->n_refs, 1) > 1)
        return NULL;
    for (size_t i = 0; i < context->n_identities; i++) {
        SSL_CTX_free(context->identities[i].ssl_context);
        free(context->identities[i].name);
    }
    tls_tickets_unref(context->tickets);
    free(context);
    return NULL;
}

static bool is_default(const struct identity *identity)
{
    return strcmp(identity->name, "default") == 0;
}

static bool answers_to(const struct identity *identity, const char *asked)
{
    X509 *certificate = SSL_CTX_get0_certificate(identity->ssl_context);

    return slice_equal_ignoring_case(slice_of(identity->name), slice_of(asked)) ||
           (certificate && X509_check_host(certificate, asked, strlen(asked),
                                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1);
}

/* A name that nobody knows gets the default certificate: the client decides whether it minds. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's signature */
static int on_server_name(SSL *ssl, int *alert, void *argument)
{
    struct tls_context *context = SSL_get_app_data(ssl);
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)argument;
    if (!asked || answers_to(context->preferred, asked))
        return SSL_TLSEXT_ERR_OK;
    for (size_t i = 0; i < context->n_identities; i++) {
        if (!answers_to(&context->identities[i], asked))
            continue;
        SSL_set_SSL_CTX(ssl, context->identities[i].ssl_context);
        break;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* The first certificate is ours, the rest the chain to send with it. */
static bool use_certificates(SSL_CTX *ssl_context, BIO *pem)
{
    X509 *certificate = PEM_read_bio_X509_AUX(pem, NULL, tls_no_pass_phrase, NULL);
    bool is_used = certificate && SSL_CTX_use_certificate(ssl_context, certificate) == 1;

    X509_free(certificate);
    while (is_used && (certificate = PEM_read_bio_X509(pem, NULL, tls_no_pass_phrase, NULL))) {
        is_used = SSL_CTX_add0_chain_cert(ssl_context, certificate) == 1;
        if (!is_used)
            X509_free(certificate);
    }
    if (is_used)
        ERR_clear_error(); /* that there was no further certificate */
    return is_used;
}

static bool use_key(SSL_CTX *ssl_context, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, tls_no_pass_phrase, NULL);
    bool is_used = key && SSL_CTX_use_PrivateKey(ssl_context, key) == 1 &&
                   SSL_CTX_check_private_key(ssl_context) == 1;

    EVP_PKEY_free(key);
    return is_used;
}

static bool from_pem(SSL_CTX *ssl_context, struct slice bytes, bool (*use)(SSL_CTX *, BIO *))
{
    BIO *pem = bytes.len <= INT32_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.len) : NULL;
    bool is_used = pem && use(ssl_context, pem);

    BIO_free(pem);
    return is_used;
}

/* All identities share one session context, so that a ticket made under one is good for all. */
static void set_resumption(SSL_CTX *ssl_context)
{
    static const unsigned char session_context[] = "staffetta";

    SSL_CTX_set_session_id_context(ssl_context, session_context, sizeof(session_context) - 1);
    SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ssl_context, SESSION_CACHE_SIZE);
    SSL_CTX_set_timeout(ssl_context, SESSION_SECONDS);
    SSL_CTX_set_num_tickets(ssl_context, 1);
    tls_tickets_install(ssl_context);
}

static int load_identity(struct identity *identity, const struct tls_identity *from, char *why)
{
    const char *what = NULL;
    char prefix[TLS_WHY_SIZE / 2];

    identity->name = strdup(from->name);
    identity->ssl_context = SSL_CTX_new(TLS_server_method());
    if (!identity->name || !identity->ssl_context)
        return FAULT(-ENOMEM);
    if (tls_common_settings(identity->ssl_context, false) < 0)
        what = "TLS settings";
    else if (!from_pem(identity->ssl_context, from->certificate_pem, use_certificates))
        what = "certificate";
    else if (!from_pem(identity->ssl_context, from->key_pem, use_key))
        what = "key";
    if (what) {
        snprintf(prefix, sizeof(prefix), "%s of tls \"%.64s\"", what, from->name);
        tls_explain(why, TLS_WHY_SIZE, prefix);
        return FAULT(-EINVAL);
    }
    set_resumption(identity->ssl_context);
    SSL_CTX_set_tlsext_servername_callback(identity->ssl_context, on_server_name);
    return 0;
}

int tls_server_context_new(struct tls_context **out, const struct tls_identity *identities,
                           size_t n, struct tls_tickets *tickets, char why[TLS_WHY_SIZE])
{
    struct tls_context *context = calloc(1, sizeof(*context) + n * sizeof(struct identity));

    snprintf(why, TLS_WHY_SIZE, "out of memory");
    if (!context)
        return FAULT(-ENOMEM);
    atomic_init(&context->n_refs, 1);
    context->tickets = tls_tickets_ref(tickets);
    context->preferred = &context->identities[0];
    for (size_t i = 0; i < n; i++) {
        int error;

        context->n_identities++;
        error = load_identity(&context->identities[i], &identities[i], why);
        if (error < 0) {
            tls_context_unref(context);
            return error;
        }
        if (is_default(&context->identities[i]))
            context->preferred = &context->identities[i];
    }
    why[0] = '\0';
    *out = context;
    return 0;
}

struct tls_tickets *tls_tickets_of_ssl(SSL *ssl)
{
    struct tls_context *context = SSL_get_app_data(ssl);

    return context ? context->tickets : NULL;
}

struct ssl_st *tls_server_ssl(struct tls_context *context)
{
    SSL *ssl = SSL_new(context->preferred->ssl_context);

    if (!ssl)
        return NULL;
    SSL_set_app_data(ssl, tls_context_ref(context));
    SSL_set_accept_state(ssl);
    return ssl;
}

int tls_certificate_expiry(struct slice certificate_pem, int64_t *utc_ms)
{
    BIO *pem = BIO_new_mem_buf(certificate_pem.data, (int)certificate_pem.len);
    X509 *certificate = pem ? PEM_read_bio_X509_AUX(pem, NULL, tls_no_pass_phrase, NULL) : NULL;
    struct tm end;
    bool is_known = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;

    X509_free(certificate);
    BIO_free(pem);
    ERR_clear_error();
    if (!is_known)
        return FAULT(-EINVAL);
    *utc_ms = (int64_t)timegm(&end) * 1000;
    return 0;
}
