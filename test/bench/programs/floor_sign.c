#include "floor_sign.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire.h"

enum { HASH_BYTES = 32, SIGNATURE_BYTES = 256, FIELD_BYTES = 4096 };

struct floor_signer {
    EVP_PKEY *key;
    EVP_MD_CTX *hash, *signing;
    char head[256]; /* of the field, up to bh= */
};

static const char signed_fields[] = "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:"
                                    "Content-Transfer-Encoding:List-Unsubscribe:"
                                    "List-Unsubscribe-Post";

struct floor_signer *floor_signer_new(const char *key_file, const char *domain,
                                      const char *selector)
{
    struct floor_signer *signer = calloc(1, sizeof(*signer));
    FILE *file = fopen(key_file, "re");

    if (!signer || !file)
        die(key_file);
    signer->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    signer->hash = EVP_MD_CTX_new();
    signer->signing = EVP_MD_CTX_new();
    if (!signer->key || !signer->hash || !signer->signing)
        die(key_file);
    snprintf(signer->head, sizeof(signer->head),
             "v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=", domain, selector,
             signed_fields);
    return signer;
}

/* ---- the body, RFC 6376 3.4.4 */

/* White space that relaxed would change: a tab, two in a row, or one before the line's end. */
static bool needs_folding(const char *body, size_t n)
{
    unsigned found = 0;

    for (size_t i = 0; i + 1 < n; i++)
        found |=
            (unsigned)(body[i] == '\t') |
            ((unsigned)(body[i] == ' ') & (unsigned)((body[i + 1] == ' ') | (body[i + 1] == '\r')));
    return found != 0;
}

/* Without the empty lines at the end. */
static size_t trimmed(const char *body, size_t n)
{
    while (n >= 4 && memcmp(body + n - 4, "\r\n\r\n", 4) == 0)
        n -= 2;
    return n == 2 && memcmp(body, "\r\n", 2) == 0 ? 0 : n;
}

static size_t fold(char *out, const char *body, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        const bool is_white = body[i] == ' ' || body[i] == '\t';
        if (body[i] == '\r' && len > 0 && out[len - 1] == ' ')
            len--;
        if (!is_white)
            out[len++] = body[i];
        else if (len == 0 || out[len - 1] != ' ')
            out[len++] = ' ';
    }
    return len;
}

static void hash_body(struct floor_signer *signer, const char *body, size_t n,
                      unsigned char hash[HASH_BYTES])
{
    char *folded = NULL;

    if (needs_folding(body, n)) {
        folded = malloc(n + 1);
        if (!folded)
            die("memory");
        n = fold(folded, body, n);
        body = folded;
    }
    n = trimmed(body, n);
    if (EVP_DigestInit_ex(signer->hash, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(signer->hash, body, n) != 1 ||
        EVP_DigestFinal_ex(signer->hash, hash, NULL) != 1)
        die("sha256");
    free(folded);
}

/* ---- the header, RFC 6376 3.4.2 */

/* "name:value" relaxed, with its CRLF. */
static size_t relax_field(char *out, const char *name, size_t name_len, const char *value,
                          const char *end)
{
    size_t len = 0;

    for (size_t i = 0; i < name_len; i++)
        out[len++] = (char)tolower((unsigned char)name[i]);
    out[len++] = ':';
    for (const char *at = value; at < end && len < FIELD_BYTES - 4; at++) {
        if (*at != ' ' && *at != '\t' && *at != '\r' && *at != '\n')
            out[len++] = *at;
        else if (out[len - 1] != ' ' && out[len - 1] != ':')
            out[len++] = ' ';
    }
    if (out[len - 1] == ' ')
        len--;
    memcpy(out + len, "\r\n", 2);
    return len + 2;
}

/* The end of the field that begins at `field`, folded lines included. */
static const char *field_end(const char *field, const char *end)
{
    while (field < end) {
        const char *newline = memchr(field, '\n', (size_t)(end - field));
        if (!newline)
            return end;
        field = newline + 1;
        if (field >= end || (*field != ' ' && *field != '\t'))
            return field;
    }
    return end;
}

static void hash_field(struct floor_signer *signer, const char *name, size_t name_len,
                       const char *header, const char *end)
{
    char relaxed[FIELD_BYTES];

    for (const char *field = header, *next; field < end; field = next) {
        next = field_end(field, end);
        if ((size_t)(next - field) <= name_len || field[name_len] != ':' ||
            strncasecmp(field, name, name_len) != 0)
            continue;
        const size_t n = relax_field(relaxed, name, name_len, field + name_len + 1, next);
        EVP_DigestSignUpdate(signer->signing, relaxed, n);
        return; /* the generator writes none twice */
    }
}

size_t floor_sign(struct floor_signer *signer, const char *message, size_t n, char *out,
                  size_t size)
{
    const char *blank = memmem(message, n, "\r\n\r\n", 4), *end = message + n;
    const char *header_end = blank ? blank + 2 : end, *body = blank ? blank + 4 : end;
    unsigned char hash[HASH_BYTES], signature[SIGNATURE_BYTES];
    char base64[400], relaxed[FIELD_BYTES];
    size_t n_signature = sizeof(signature), len;

    hash_body(signer, body, (size_t)(end - body), hash);
    EVP_EncodeBlock((unsigned char *)base64, hash, sizeof(hash));
    len = (size_t)snprintf(out, size, "DKIM-Signature: %s%s; b=", signer->head, base64);

    if (EVP_DigestSignInit(signer->signing, NULL, EVP_sha256(), NULL, signer->key) != 1)
        die("sign");
    for (const char *name = signed_fields; *name;) {
        const size_t name_len = strcspn(name, ":");
        hash_field(signer, name, name_len, message, header_end);
        name += name_len + (name[name_len] == ':');
    }
    EVP_DigestSignUpdate(signer->signing, relaxed,
                         relax_field(relaxed, "DKIM-Signature", 14, out + 15, out + len) - 2);
    if (EVP_DigestSignFinal(signer->signing, signature, &n_signature) != 1)
        die("sign");
    EVP_EncodeBlock((unsigned char *)base64, signature, (int)n_signature);
    return len + (size_t)snprintf(out + len, size - len, "%s\r\n", base64);
}
