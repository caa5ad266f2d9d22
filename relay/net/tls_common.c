#include "relay/net/tls_common.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>

static const char strict_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!PSK";
static const char lenient_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:DHE+AES:"
                                      "kRSA+AES:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=1";

int tls_common_settings(SSL_CTX *context, bool is_lenient)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One record a call: a peer that sends key updates without end would else hold a loop inside
     * one SSL_read() for as long as it likes. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_default_passwd_cb(context, tls_no_pass_phrase);
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(context, is_lenient ? lenient_ciphers : strict_ciphers) ||
        !SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384"))
        return FAULT(-EINVAL);
    return 0;
}

void tls_explain(char *why, size_t size, const char *prefix)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    snprintf(why, size, "%s%s%s", prefix, prefix[0] ? ": " : "",
             reason ? reason : "no reason given");
    ERR_clear_error();
}

/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's signature */
int tls_no_pass_phrase(char *buffer, int size, int is_writing, void *argument)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)argument;
    return -1;
}
