#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "relay/net/stream_private.h"

/* The change to TLS happens once what is in the output has left.  Whatever plain text came before
 * is thrown away here, and nothing is read until the handshake: text smuggled in before it can
 * never be taken for text inside (CVE-2011-0411). */
static int start_tls(struct stream *stream, SSL *ssl)
{
    if (!ssl)
        return FAULT(-ENOMEM);
    if (stream->ssl || stream->state != STREAM_STATE_OPEN || stream_attach_tls(stream, ssl) < 0) {
        tls_ssl_free(ssl);
        return FAULT(-EINVAL);
    }
    stream_discard_input(stream);
    stream->next_ssl = ssl;
    stream->state = STREAM_STATE_TLS_WAITS;
    later_set(&stream->turn);
    return 0;
}

int stream_start_tls_server(struct stream *stream, struct tls_context *context)
{
    return start_tls(stream, tls_server_ssl(context));
}

int stream_start_tls_client(struct stream *stream, struct tls_client *client, const char *name)
{
    char address[SOCKET_TEXT_SIZE], key[SOCKET_TEXT_SIZE + 260];
    int len = snprintf(key, sizeof(key), "%s %.256s", socket_address_print(&stream->peer, address),
                       name ? name : "");

    return start_tls(stream, tls_client_ssl(client, name, slice_from(key, (size_t)len)));
}

static void describe(struct stream *stream)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(stream->ssl);

    snprintf(stream->tls, sizeof(stream->tls), "%s %s", SSL_get_version(stream->ssl),
             SSL_CIPHER_standard_name(cipher));
    stream->is_verified = (SSL_get_verify_mode(stream->ssl) & SSL_VERIFY_PEER) != 0 &&
                          SSL_get_verify_result(stream->ssl) == X509_V_OK;
}

static void fail(struct stream *stream, int code, int saved_errno)
{
    long verdict = SSL_get_verify_result(stream->ssl);
    unsigned long error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    if (!SSL_is_server(stream->ssl) && (SSL_get_verify_mode(stream->ssl) & SSL_VERIFY_PEER) &&
        verdict != X509_V_OK)
        snprintf(stream->detail, sizeof(stream->detail), "certificate refused: %s",
                 X509_verify_cert_error_string(verdict));
    else if (reason)
        snprintf(stream->detail, sizeof(stream->detail), "TLS handshake: %s", reason);
    else
        snprintf(stream->detail, sizeof(stream->detail), "TLS handshake: %s",
                 code == SSL_ERROR_SYSCALL && saved_errno ? strerror(saved_errno)
                                                          : "closed by the peer");
    ERR_clear_error();
    stream->tls_is_broken = true;
    stream_end(stream, STREAM_TLS_FAILED, stream->detail);
}

void stream_shake_hands(struct stream *stream)
{
    int result, code, saved_errno;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(stream->ssl);
    saved_errno = errno;
    if (result != 1) {
        code = SSL_get_error(stream->ssl, result);
        if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE)
            fail(stream, code, saved_errno);
        return;
    }
    describe(stream);
    loop_note_peak(stream->loop);
    stream->state = STREAM_STATE_OPEN;
    if (byte_queue_len(&stream->output))
        later_set(&stream->turn);
    if (stream->handlers->on_secured)
        stream->handlers->on_secured(stream->owner);
}

const char *stream_describe_tls(const struct stream *stream)
{
    return stream->tls[0] ? stream->tls : NULL;
}

bool stream_tls_was_resumed(const struct stream *stream)
{
    return stream->tls[0] && SSL_session_reused(stream->ssl);
}

bool stream_tls_is_verified(const struct stream *stream)
{
    return stream->is_verified;
}

const char *stream_tls_trouble(const struct stream *stream)
{
    long verdict = stream->ssl ? SSL_get_verify_result(stream->ssl) : X509_V_OK;

    return verdict == X509_V_OK ? NULL : X509_verify_cert_error_string(verdict);
}
