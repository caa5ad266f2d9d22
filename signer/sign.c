#include "signer/sign.h"

#include <errno.h>

#include "signer/canonical.h"
#include "signer/signature_text.h"

enum {
    DIGEST_BYTES = 32,
    DIGEST_BASE64_SIZE = 45,
    SIGNATURE_BASE64_SIZE = 4 * SIGNATURE_MAX / 3 + 8
};

struct signing_desk {
    EVP_MD *sha256;      /* fetched once: OpenSSL 3.0 looks it up in a table under a lock */
    EVP_MD_CTX *headers; /* over the canonical headers: the same for every key */
    EVP_MD_CTX *each;    /* the same with the signature's own field; before that, the body's */
    struct signed_headers fields;
    struct canonical_body body;
    struct buffer text, canonical; /* of the field that is being made */
};

int signing_desk_new(struct signing_desk **out)
{
    struct signing_desk *desk = calloc(1, sizeof(*desk));

    if (!desk)
        return FAULT(-ENOMEM);
    desk->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    desk->headers = EVP_MD_CTX_new();
    desk->each = EVP_MD_CTX_new();
    if (!desk->sha256 || !desk->headers || !desk->each) {
        signing_desk_free(desk);
        return FAULT(-ENOMEM);
    }
    *out = desk;
    return 0;
}

struct signing_desk *signing_desk_free(struct signing_desk *desk)
{
    if (!desk)
        return NULL;
    signed_headers_fini(&desk->fields);
    buffer_fini(&desk->text);
    buffer_fini(&desk->canonical);
    EVP_MD_CTX_free(desk->headers);
    EVP_MD_CTX_free(desk->each);
    EVP_MD_free(desk->sha256);
    free(desk);
    return NULL;
}

/* Reads the body to the end of the message; bh= in base64. */
static int digest_body(struct signing_desk *desk, struct message_reader *message,
                       char out[DIGEST_BASE64_SIZE])
{
    uint8_t digest[DIGEST_BYTES];
    struct slice piece;
    int more, error;

    if (EVP_DigestInit_ex2(desk->each, desk->sha256, NULL) != 1)
        return FAULT(-EIO);
    canonical_body_init(&desk->body, desk->each);
    while ((more = message_reader_body(message, &piece)) == 1)
        canonical_body_add(&desk->body, piece);
    if (more < 0)
        return more;
    error = canonical_body_end(&desk->body);
    if (error)
        return error;
    if (EVP_DigestFinal_ex(desk->each, digest, NULL) != 1)
        return FAULT(-EIO);
    EVP_EncodeBlock((uint8_t *)out, digest, DIGEST_BYTES);
    return 0;
}

static int digest_headers(struct signing_desk *desk, const struct sign_input *input,
                          struct slice block)
{
    int error = signed_headers_collect(&desk->fields, input->prefix, block);
    const struct buffer *canonical = &desk->fields.canonical;

    if (error)
        return error;
    if (EVP_DigestInit_ex2(desk->headers, desk->sha256, NULL) != 1 ||
        EVP_DigestUpdate(desk->headers, canonical->data, canonical->len) != 1)
        return FAULT(-EIO);
    return 0;
}

/* The field as far as b=, canonicalised behind the headers: RFC 6376, 3.7. */
static int digest_own_field(struct signing_desk *desk, uint8_t digest[DIGEST_BYTES])
{
    struct slice rest = buffer_slice(&desk->text);
    struct dkim_field own;

    buffer_clear(&desk->canonical);
    if (buffer_error(&desk->text) || !dkim_field_next(&rest, &own))
        return FAULT(-ENOMEM);
    canonical_header(&desk->canonical, &own);
    if (buffer_error(&desk->canonical))
        return buffer_error(&desk->canonical);
    if (EVP_MD_CTX_copy_ex(desk->each, desk->headers) != 1 ||
        EVP_DigestUpdate(desk->each, desk->canonical.data, desk->canonical.len) != 1 ||
        EVP_DigestFinal_ex(desk->each, digest, NULL) != 1)
        return FAULT(-EIO);
    return 0;
}

static int sign_with_key(struct signing_desk *desk, const struct sign_input *input, unsigned i,
                         const char *body_digest)
{
    const struct signing_key *key = input->keys[i];
    uint8_t digest[DIGEST_BYTES], signature[SIGNATURE_MAX];
    char base64[SIGNATURE_BASE64_SIZE];
    int len, error;

    buffer_clear(&desk->text);
    signature_text_begin(
        &desk->text, &(struct signature_fields){
                         .algorithm = key->type == DKIM_KEY_RSA ? "rsa-sha256" : "ed25519-sha256",
                         .domain = input->domain,
                         .selector = key->name.selector,
                         .now_s = input->now_s,
                         .life_s = input->life_s,
                         .digest = body_digest,
                         .headers = &desk->fields,
                     });
    error = digest_own_field(desk, digest);
    if (error)
        return error;
    len = private_key_sign(input->privates[i], key->type, digest, signature);
    if (len < 0)
        return len;
    EVP_EncodeBlock((uint8_t *)base64, signature, len);
    signature_text_end(&desk->text, base64);
    return buffer_error(&desk->text);
}

int sign_natively(struct signing_desk *desk, const struct sign_input *input, struct buffer *out)
{
    char body_digest[DIGEST_BASE64_SIZE];
    struct slice block;
    int error = message_reader_header(input->message, &block);

    if (!error)
        error = digest_headers(desk, input, block);
    if (!error)
        error = digest_body(desk, input->message, body_digest);
    for (unsigned i = 0; !error && i < input->n_keys; i++) {
        error = sign_with_key(desk, input, i, body_digest);
        if (!error)
            buffer_append(out, buffer_slice(&desk->text));
    }
    return error ? error : buffer_error(out);
}
