#include "relay/net/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "relay/net/session_cache.h"
#include "relay/net/socket_address.h"
#include "relay/net/tls_common.h"

struct tls_client {
    SSL_CTX *ssl_context;
    enum tls_client_policy policy;
    struct session_cache sessions;
};

/* What hangs on each SSL of a client, so that its session finds its place in the cache. */
struct client_ssl {
    struct tls_client *client;
    size_t key_len;
    char key[];
};

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct client_ssl *attached = SSL_get_app_data(ssl);

    return attached && session_cache_store(&attached->client->sessions,
                                           slice_from(attached->key, attached->key_len), session);
}

static bool trust_pem(SSL_CTX *ssl_context, struct slice pem_bytes)
{
    BIO *pem = BIO_new_mem_buf(pem_bytes.data, (int)pem_bytes.len);
    X509_STORE *store = SSL_CTX_get_cert_store(ssl_context);
    X509 *certificate;
    size_t n_trusted = 0;

    while (pem && (certificate = PEM_read_bio_X509(pem, NULL, tls_no_pass_phrase, NULL))) {
        n_trusted += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    BIO_free(pem);
    ERR_clear_error();
    return n_trusted > 0;
}

static int set_trust(struct tls_client *client, struct slice authorities_pem, char *why)
{
    bool is_strict = client->policy == TLS_CLIENT_VERIFY;

    SSL_CTX_set_verify(client->ssl_context, is_strict ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (client->policy == TLS_CLIENT_MAY)
        return 0;
    if (authorities_pem.len ? trust_pem(client->ssl_context, authorities_pem)
                            : SSL_CTX_set_default_verify_paths(client->ssl_context) == 1)
        return 0;
    tls_explain(why, TLS_WHY_SIZE, "certificate authorities");
    return FAULT(-EINVAL);
}

static int set_up(struct tls_client *client, struct slice authorities_pem, char *why)
{
    int error = tls_common_settings(client->ssl_context, client->policy != TLS_CLIENT_VERIFY);

    if (error < 0) {
        tls_explain(why, TLS_WHY_SIZE, "TLS settings");
        return error;
    }
    SSL_CTX_set_session_cache_mode(client->ssl_context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->ssl_context, on_new_session);
    return set_trust(client, authorities_pem, why);
}

int tls_client_new(struct tls_client **out, enum tls_client_policy policy,
                   struct slice authorities_pem, char why[TLS_WHY_SIZE])
{
    struct tls_client *client = calloc(1, sizeof(*client));
    int error;

    snprintf(why, TLS_WHY_SIZE, "out of memory");
    if (!client)
        return FAULT(-ENOMEM);
    client->policy = policy;
    session_cache_init(&client->sessions);
    client->ssl_context = SSL_CTX_new(TLS_client_method());
    error = client->ssl_context ? set_up(client, authorities_pem, why) : FAULT(-ENOMEM);
    if (error < 0) {
        tls_client_free(client);
        return error;
    }
    why[0] = '\0';
    *out = client;
    return 0;
}

struct tls_client *tls_client_free(struct tls_client *client)
{
    if (!client)
        return NULL;
    session_cache_fini(&client->sessions);
    SSL_CTX_free(client->ssl_context);
    free(client);
    return NULL;
}

size_t tls_client_n_sessions(const struct tls_client *client)
{
    return client->sessions.n_sessions;
}

static bool attach(SSL *ssl, struct tls_client *client, struct slice reuse_key)
{
    struct client_ssl *attached = malloc(sizeof(*attached) + reuse_key.len);
    SSL_SESSION *session = session_cache_take(&client->sessions, reuse_key);

    if (session) {
        SSL_set_session(ssl, session); /* a refused one only costs the full handshake */
        SSL_SESSION_free(session);
    }
    if (!attached)
        return false;
    attached->client = client;
    attached->key_len = reuse_key.len;
    memcpy(attached->key, reuse_key.data, reuse_key.len);
    SSL_set_app_data(ssl, attached);
    return true;
}

/* SNI carries names only (RFC 6066 3); an address literal is verified as an address. */
static bool set_name(SSL *ssl, const char *name)
{
    struct slice host = slice_of(name);
    struct ip_address ip;
    char text[256];

    if (host.len > 1 && host.data[host.len - 1] == '.')
        host.len--;
    if (!slice_copy_to(host, text, sizeof(text)))
        return false;
    if (ip_parse(host, &ip))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), text) == 1;
    return SSL_set_tlsext_host_name(ssl, text) == 1 && SSL_set1_host(ssl, text) == 1;
}

struct ssl_st *tls_client_ssl(struct tls_client *client, const char *name, struct slice reuse_key)
{
    SSL *ssl = SSL_new(client->ssl_context);

    if (!ssl)
        return NULL;
    SSL_set_connect_state(ssl);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if ((name && !set_name(ssl, name)) || !attach(ssl, client, reuse_key) ||
        (!name && client->policy == TLS_CLIENT_VERIFY)) {
        tls_ssl_free(ssl);
        return NULL;
    }
    return ssl;
}

void tls_ssl_free(struct ssl_st *ssl)
{
    void *attached;

    if (!ssl)
        return;
    /* Without this OpenSSL takes the end for an attack and forbids the session's reuse; SMTP has
     * its own end of a conversation. */
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    attached = SSL_get_app_data(ssl);
    if (SSL_is_server(ssl))
        tls_context_unref(attached);
    else
        free(attached);
    SSL_free(ssl);
}
