#include "signer/private_key.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>

/* What OpenSSL queued is of no use to an operator, and must not wait there for the next error. */
static int crypto_failed(int error)
{
    ERR_clear_error();
    return FAULT(error);
}

int private_key_generate(EVP_PKEY **out, enum dkim_key_type type)
{
    EVP_PKEY *key =
        type == DKIM_KEY_RSA ? EVP_RSA_gen(RSA_BITS_NEW) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    if (!key)
        return crypto_failed(-EIO);
    *out = key;
    return 0;
}

static int refuse(char why[KEY_WHY_SIZE], const char *text)
{
    ERR_clear_error();
    snprintf(why, KEY_WHY_SIZE, "%s", text);
    return -EBADMSG;
}

/* What people paste instead of a private key. */
static const struct {
    const char *mark, *why;
} mistakes[] = {
    {"-----BEGIN ENCRYPTED",           "the key has a pass phrase; remove it with: openssl pkey"  },
    {"Proc-Type: 4,ENCRYPTED",         "the key has a pass phrase; remove it with: openssl pkey"  },
    {"-----BEGIN PUBLIC KEY",          "this is a public key; the private key is needed"          },
    {"-----BEGIN RSA PUBLIC KEY",      "this is a public key; the private key is needed"          },
    {"-----BEGIN CERTIFICATE",         "this is a certificate; the private key is needed"         },
    {"-----BEGIN OPENSSH PRIVATE KEY", "this is an OpenSSH key; PEM of PKCS#8 or PKCS#1 is needed"},
};

static int refuse_text(struct slice pem, char why[KEY_WHY_SIZE])
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        if (slice_search(pem, slice_of(mistakes[i].mark)) >= 0)
            return refuse(why, mistakes[i].why);
    if (slice_search(pem, SLICE_LITERAL("-----BEGIN ")) < 0)
        return refuse(why, "this is not PEM: there is no -----BEGIN line");
    if (slice_search(pem, SLICE_LITERAL("-----END ")) < 0)
        return refuse(why, "the key is cut: there is no -----END line");
    return refuse(why, "the key between the BEGIN and END lines cannot be decoded");
}

/* Without this OpenSSL would ask the terminal. */
static int no_pass_phrase(char *out, int size, int is_writing, void *owner)
{
    (void)is_writing, (void)owner;
    if (size > 0)
        out[0] = '\0';
    return -1;
}

static EVP_PKEY *decode_pem(struct slice pem)
{
    BIO *bio = pem.len <= PRIVATE_KEY_FILE_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static int check_type(EVP_PKEY *key, enum dkim_key_type *type, char why[KEY_WHY_SIZE])
{
    unsigned bits = private_key_bits(key);

    if (EVP_PKEY_is_a(key, "ED25519")) {
        *type = DKIM_KEY_ED25519;
        return 0;
    }
    if (!EVP_PKEY_is_a(key, "RSA")) {
        snprintf(why, KEY_WHY_SIZE, "this is a key of type %s; DKIM knows RSA and Ed25519",
                 EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown");
        return -EBADMSG;
    }
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        snprintf(why, KEY_WHY_SIZE, "this RSA key has %u bits; %d to %d are allowed", bits,
                 RSA_BITS_MIN, RSA_BITS_MAX);
        return -EBADMSG;
    }
    *type = DKIM_KEY_RSA;
    return 0;
}

int private_key_decode(EVP_PKEY **out, enum dkim_key_type *type, struct slice pem,
                       char why[KEY_WHY_SIZE])
{
    EVP_PKEY *key = decode_pem(pem);
    int error;

    if (!key)
        return refuse_text(pem, why);
    error = check_type(key, type, why);
    if (error) {
        EVP_PKEY_free(key);
        return error;
    }
    *out = key;
    return 0;
}

int private_key_check(EVP_PKEY *key, char why[KEY_WHY_SIZE])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool is_good = context && EVP_PKEY_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return is_good ? 0 : refuse(why, "the numbers of this key do not belong together");
}

int private_key_encode(EVP_PKEY *key, struct buffer *out)
{
    BIO *bio = BIO_new(BIO_s_mem()); /* OpenSSL wipes what such a BIO held */
    int error = -ENOMEM;
    char *text;
    long len;

    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        len = BIO_get_mem_data(bio, &text);
        /* At once in one piece: a buffer that grows would leave copies behind. */
        error = buffer_reserve(out, PRIVATE_KEY_FILE_MAX);
        if (!error)
            buffer_append(out, slice_from(text, (size_t)len));
    }
    BIO_free(bio);
    return error ? crypto_failed(error) : 0;
}

void private_key_wipe(struct buffer *pem)
{
    if (pem->data)
        OPENSSL_cleanse(pem->data, pem->capacity);
    buffer_fini(pem);
}

unsigned private_key_bits(EVP_PKEY *key)
{
    return (unsigned)EVP_PKEY_get_bits(key);
}

static void append_base64(struct buffer *out, const uint8_t *bytes, size_t len)
{
    if (buffer_reserve(out, (len + 2) / 3 * 4 + 1)) {
        out->failed = true;
        return;
    }
    out->len += (size_t)EVP_EncodeBlock((uint8_t *)out->data + out->len, bytes, (int)len);
}

int private_key_public_half(EVP_PKEY *key, enum dkim_key_type type, struct buffer *out)
{
    uint8_t raw[32], *der = NULL;
    size_t raw_len = sizeof(raw);
    int der_len;

    if (type == DKIM_KEY_ED25519) {
        if (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) != 1)
            return crypto_failed(-EIO);
        append_base64(out, raw, raw_len);
        return buffer_error(out);
    }
    der_len = i2d_PUBKEY(key, &der);
    if (der_len <= 0)
        return crypto_failed(-EIO);
    append_base64(out, der, (size_t)der_len);
    OPENSSL_free(der);
    return buffer_error(out);
}

static bool sign_rsa(EVP_PKEY *key, const uint8_t digest[32], uint8_t *out, size_t *len)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool is_done = context && EVP_PKEY_sign_init(context) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                   EVP_PKEY_sign(context, out, len, digest, 32) == 1;

    EVP_PKEY_CTX_free(context);
    return is_done;
}

/* RFC 8463, 3: what PureEdDSA signs is the digest itself. */
static bool sign_ed25519(EVP_PKEY *key, const uint8_t digest[32], uint8_t *out, size_t *len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestSign(context, out, len, digest, 32) == 1;

    EVP_MD_CTX_free(context);
    return is_done;
}

int private_key_sign(EVP_PKEY *key, enum dkim_key_type type, const uint8_t digest[32],
                     uint8_t out[SIGNATURE_MAX])
{
    size_t len = SIGNATURE_MAX;
    bool is_done = type == DKIM_KEY_RSA ? sign_rsa(key, digest, out, &len)
                                        : sign_ed25519(key, digest, out, &len);

    return is_done ? (int)len : crypto_failed(-EIO);
}
