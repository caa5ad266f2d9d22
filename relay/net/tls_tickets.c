#include "relay/net/tls_tickets.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "relay/base/clock.h"
#include "relay/base/secret.h"

struct tls_tickets {
    atomic_uint n_refs;
    pthread_mutex_t lock;
    int64_t period;                        /* which hour keys[0] belongs to */
    struct ticket_key keys[TICKET_N_KEYS]; /* newest first */
};

int tls_tickets_new(struct tls_tickets **out)
{
    struct tls_tickets *tickets = calloc(1, sizeof(*tickets));

    if (!tickets)
        return FAULT(-ENOMEM);
    atomic_init(&tickets->n_refs, 1);
    pthread_mutex_init(&tickets->lock, NULL);
    tickets->period = clock_monotonic_ms() / TICKET_PERIOD_MS;
    random_bytes(tickets->keys, sizeof(tickets->keys));
    *out = tickets;
    return 0;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
    atomic_fetch_add(&tickets->n_refs, 1);
    return tickets;
}

struct tls_tickets *tls_tickets_unref(struct tls_tickets *tickets)
{
    if (!tickets || atomic_fetch_sub(&tickets->n_refs, 1) > 1)
        return NULL;
    pthread_mutex_destroy(&tickets->lock);
    secret_wipe(tickets, sizeof(*tickets));
    free(tickets);
    return NULL;
}

/* Under the lock. */
static void rotate(struct tls_tickets *tickets, int64_t now_ms)
{
    int64_t period = now_ms / TICKET_PERIOD_MS;

    for (int i = 0; tickets->period < period && i < TICKET_N_KEYS; i++, tickets->period++) {
        for (int k = TICKET_N_KEYS - 1; k > 0; k--)
            tickets->keys[k] = tickets->keys[k - 1];
        random_bytes(&tickets->keys[0], sizeof(tickets->keys[0]));
    }
    if (tickets->period < period)
        tickets->period = period;
}

void tls_tickets_current(struct tls_tickets *tickets, int64_t now_ms, struct ticket_key *out)
{
    pthread_mutex_lock(&tickets->lock);
    rotate(tickets, now_ms);
    *out = tickets->keys[0];
    pthread_mutex_unlock(&tickets->lock);
}

bool tls_tickets_find(struct tls_tickets *tickets, int64_t now_ms, const uint8_t *name,
                      struct ticket_key *out, bool *is_current)
{
    bool is_found = false;

    pthread_mutex_lock(&tickets->lock);
    rotate(tickets, now_ms);
    for (int i = 0; i < TICKET_N_KEYS && !is_found; i++) {
        if (memcmp(tickets->keys[i].name, name, TICKET_NAME_BYTES) != 0)
            continue;
        *out = tickets->keys[i];
        *is_current = i == 0;
        is_found = true;
    }
    pthread_mutex_unlock(&tickets->lock);
    return is_found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal(struct tls_tickets *tickets, unsigned char *name, unsigned char *iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    bool is_set;

    tls_tickets_current(tickets, clock_monotonic_ms(), &key);
    memcpy(name, key.name, TICKET_NAME_BYTES);
    random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
    is_set = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
             set_mac(mac, &key);
    secret_wipe(&key, sizeof(key));
    return is_set ? 1 : -1;
}

/* 0: unknown key, so a full handshake; 1: good; 2: good, and send a new one.  Tickets of TLS 1.3
 * are used once (RFC 8446 C.4), so there a resumed session needs a new one for the next time. */
static int unseal(struct tls_tickets *tickets, bool is_used_once, const unsigned char *name,
                  const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    bool is_current = false, is_set;

    if (!tls_tickets_find(tickets, clock_monotonic_ms(), name, &key, &is_current))
        return 0;
    is_set = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
             set_mac(mac, &key);
    secret_wipe(&key, sizeof(key));
    if (!is_set)
        return -1;
    return is_current && !is_used_once ? 1 : 2;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_sealing)
{
    struct tls_tickets *tickets = tls_tickets_of_ssl(ssl);

    if (!tickets)
        return is_sealing ? -1 : 0;
    return is_sealing ? seal(tickets, name, iv, cipher, mac)
                      : unseal(tickets, SSL_version(ssl) >= TLS1_3_VERSION, name, iv, cipher, mac);
}

void tls_tickets_install(SSL_CTX *context)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}
