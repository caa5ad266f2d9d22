/* Keys that others made: which are taken, and what is said of the rest. */
#include "test/support/test_support.h"

#include <errno.h>
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "test/unit/signer/key_folder.h"

static char *pem_of(EVP_PKEY *key, bool is_traditional, const char *pass_phrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = pass_phrase ? EVP_aes_128_cbc() : NULL;
    char *text, *copy;
    long len;

    assert_int_equal(is_traditional ? PEM_write_bio_PrivateKey_traditional(
                                          bio, key, cipher, NULL, 0, NULL, (void *)pass_phrase)
                                    : PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, NULL, 0, NULL,
                                                                    (void *)pass_phrase),
                     1);
    len = BIO_get_mem_data(bio, &text);
    copy = strndup(text, (size_t)len);
    BIO_free(bio);
    return copy;
}

static int import(const char *selector, const char *pem, char why[KEY_WHY_SIZE])
{
    struct key_name name = named("example.com", selector);

    why[0] = '\0';
    return key_store_import(store, &name, slice_of(pem), why);
}

static void rsa_of_1024_to_4096_bits_is_imported(void **state)
{
    static const struct {
        unsigned bits;
        int result;
        const char *why;
    } rows[] = {
        {768,  -EBADMSG, "this RSA key has 768 bits; 1024 to 4096 are allowed" },
        {1024, 0,        ""                                                    },
        {3072, 0,        ""                                                    },
        {4104, -EBADMSG, "this RSA key has 4104 bits; 1024 to 4096 are allowed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *key = EVP_RSA_gen(rows[i].bits);
        char *pem = pem_of(key, i % 2, NULL), selector[8], why[KEY_WHY_SIZE];

        snprintf(selector, sizeof(selector), "s%zu", i);
        assert_int_equal(import(selector, pem, why), rows[i].result);
        assert_string_equal(why, rows[i].why);
        free(pem);
        EVP_PKEY_free(key);
    }
}

static void what_is_no_usable_key_is_refused_by_name(void **state)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(1024);
    char *ec_pem = pem_of(ec, false, NULL), *locked = pem_of(rsa, false, "secret"),
         *locked_old = pem_of(rsa, true, "secret"), *cut = pem_of(rsa, false, NULL);
    const struct {
        const char *pem, *why;
    } rows[] = {
        {"",                                                              "this is not PEM: there is no -----BEGIN line"           },
        {"p=MIGfMA0GCSqG",                                                "this is not PEM: there is no -----BEGIN line"           },
        {"-----BEGIN PUBLIC KEY-----\nMIG\n-----END PUBLIC KEY-----\n",
         "this is a public key; the private key is needed"                                                                         },
        {"-----BEGIN CERTIFICATE-----\nMIG\n-----END CERTIFICATE-----\n",
         "this is a certificate; the private key is needed"                                                                        },
        {"-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n",
         "the key between the BEGIN and END lines cannot be decoded"                                                               },
        {ec_pem,                                                          "this is a key of type EC; DKIM knows RSA and Ed25519"   },
        {locked,                                                          "the key has a pass phrase; remove it with: openssl pkey"},
        {locked_old,                                                      "the key has a pass phrase; remove it with: openssl pkey"},
        {cut,                                                             "the key is cut: there is no -----END line"              },
    };

    (void)state;
    cut[strlen(cut) / 2] = '\0';
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[KEY_WHY_SIZE];

        assert_int_equal(import("s", rows[i].pem, why), -EBADMSG);
        assert_string_equal(why, rows[i].why);
    }
    free(ec_pem), free(locked), free(locked_old), free(cut);
    EVP_PKEY_free(ec), EVP_PKEY_free(rsa);
}

/* The modulus of one key with the exponent of another: it decodes, and signs rubbish. */
static void a_key_whose_parts_do_not_match_is_refused(void **state)
{
    RSA *rsa = RSA_new();
    BIGNUM *e = BN_new(), *d = BN_new();
    EVP_PKEY *key = EVP_PKEY_new();
    const BIGNUM *n, *real_d, *p, *q, *dp, *dq, *qi;
    char *pem, why[KEY_WHY_SIZE];

    (void)state;
    BN_set_word(e, RSA_F4);
    assert_int_equal(RSA_generate_key_ex(rsa, 1024, e, NULL), 1);
    RSA_get0_key(rsa, &n, NULL, &real_d);
    RSA_get0_factors(rsa, &p, &q);
    RSA_get0_crt_params(rsa, &dp, &dq, &qi);
    BN_copy(d, real_d);
    BN_add_word(d, 2);
    assert_int_equal(RSA_set0_key(rsa, NULL, NULL, d), 1);
    assert_int_equal(EVP_PKEY_assign_RSA(key, rsa), 1);
    pem = pem_of(key, true, NULL);
    assert_int_equal(import("s", pem, why), -EBADMSG);
    assert_string_equal(why, "the numbers of this key do not belong together");
    free(pem);
    EVP_PKEY_free(key);
    BN_free(e);
}

static void an_imported_key_has_the_public_half_it_had(void **state)
{
    EVP_PKEY *key, *stored;
    struct key_name name = named("example.com", "s1");
    CLEANUP(buffer) struct buffer before = BUFFER_INIT;
    CLEANUP(buffer) struct buffer after = BUFFER_INIT;
    struct key_set *set;
    char *pem, why[KEY_WHY_SIZE];

    (void)state;
    assert_int_equal(private_key_generate(&key, DKIM_KEY_ED25519), 0);
    assert_int_equal(private_key_public_half(key, DKIM_KEY_ED25519, &before), 0);
    pem = pem_of(key, false, NULL);
    assert_int_equal(import("s1", pem, why), 0);
    assert_int_equal(import("s1", pem, why), -EEXIST);
    set = key_store_current(store);
    stored = signing_key_private(store, key_set_find(set, &name));
    assert_non_null(stored);
    assert_int_equal(private_key_public_half(stored, DKIM_KEY_ED25519, &after), 0);
    assert_int_equal(before.len, 44);
    assert_true(slice_equal(buffer_slice(&before), buffer_slice(&after)));
    key_set_unref(set);
    free(pem);
    EVP_PKEY_free(key);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rsa_of_1024_to_4096_bits_is_imported),
        CASE(what_is_no_usable_key_is_refused_by_name),
        CASE(a_key_whose_parts_do_not_match_is_refused),
        CASE(an_imported_key_has_the_public_half_it_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
