#include "relay/net/tls_context.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "relay/base/secret.h"

enum { VALID_SECONDS = 3652 * 86400 };

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool is_added = extension && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return is_added;
}

static bool set_name(X509 *certificate, const char *host)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    char common_name[65], alternative[300];

    snprintf(common_name, sizeof(common_name), "%s", host); /* ub-common-name: 64 */
    snprintf(alternative, sizeof(alternative), "DNS:%s", host);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 &&
           add_extension(certificate, NID_subject_alt_name, alternative) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
}

static bool set_serial(X509 *certificate)
{
    uint64_t serial;

    random_bytes(&serial, sizeof(serial));
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1;
}

static X509 *make_certificate(EVP_PKEY *key, const char *host)
{
    X509 *certificate = X509_new();

    if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) && X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) &&
        set_name(certificate, host) && X509_set_pubkey(certificate, key) == 1 &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static char *text_of(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);

    return len > 0 ? slice_to_string(slice_from(bytes, (size_t)len)) : NULL;
}

static int print_pem(X509 *certificate, EVP_PKEY *key, struct tls_pem *out)
{
    BIO *certificate_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_secmem());
    struct tls_pem pem = {0};

    if (certificate_bio && key_bio && PEM_write_bio_X509(certificate_bio, certificate) == 1 &&
        PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1)
        pem = (struct tls_pem){text_of(certificate_bio), text_of(key_bio)};
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    if (!pem.certificate || !pem.key) {
        tls_pem_fini(&pem);
        return FAULT(-ENOMEM);
    }
    *out = pem;
    return 0;
}

int tls_make_self_signed(const char *host, struct tls_pem *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? make_certificate(key, host) : NULL;
    int error = certificate ? print_pem(certificate, key, out) : FAULT(-EIO);

    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return error;
}

void tls_pem_fini(struct tls_pem *pem)
{
    if (pem->key)
        secret_wipe(pem->key, strlen(pem->key));
    free(pem->key);
    free(pem->certificate);
    *pem = (struct tls_pem){0};
}
