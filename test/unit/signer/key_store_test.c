#include "test/support/test_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <sys/stat.h>

#include "signer/key_file.h"
#include "signer/key_store.h"

static char folder[64];
static struct key_store *store;

static void open_store(void)
{
    int dir_fd;

    assert_int_equal(key_store_open_folder(&dir_fd, folder, NULL), 0);
    assert_int_equal(key_store_open(&store, dir_fd), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/staffetta-keys-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rmdir(folder), 0); /* the store makes it */
    open_store();
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    store = key_store_close(store);
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static void open_again(void)
{
    store = key_store_close(store);
    open_store();
}

static struct key_name named(const char *domain, const char *selector)
{
    struct key_name name;
    char why[KEY_WHY_SIZE];

    assert_true(key_name_set(&name, slice_of(domain), slice_of(selector), why));
    return name;
}

static void create(const char *domain, const char *selector, enum dkim_key_type type)
{
    struct key_name name = named(domain, selector);

    assert_int_equal(key_store_create(store, &name, type), 0);
}

static void activate(const char *domain, const char *selector)
{
    struct key_name name = named(domain, selector);

    assert_int_equal(key_store_set_active(store, &name, true), 0);
}

/* "s1,s2": the selectors that sign for domain, in their order. */
static void assert_active(const char *domain, const char *wanted)
{
    struct key_set *set = key_store_current(store);
    const struct signing_key *keys[KEYS_PER_DOMAIN];
    unsigned n_keys = key_set_active(set, domain, keys);
    char text[300] = "";

    for (unsigned i = 0; i < n_keys; i++) {
        strcat(text, i ? "," : "");
        strcat(text, keys[i]->name.selector);
        assert_non_null(signing_key_private(store, keys[i]));
    }
    assert_string_equal(text, wanted);
    key_set_unref(set);
}

static bool has_file(const char *name)
{
    char path[400];
    struct stat status;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (stat(path, &status) != 0)
        return false;
    assert_int_equal(status.st_mode & 07777, 0600);
    return true;
}

static void a_new_key_is_idle_until_activated(void **state)
{
    (void)state;
    create("example.com", "s1", DKIM_KEY_ED25519);
    assert_true(has_file("s1._domainkey.example.com.ed25519.idle"));
    assert_active("example.com", "");
    activate("example.com", "s1");
    assert_true(has_file("s1._domainkey.example.com.ed25519.pem"));
    assert_false(has_file("s1._domainkey.example.com.ed25519.idle"));
    assert_active("example.com", "s1");
}

static void one_key_of_each_type_signs_rsa_first(void **state)
{
    (void)state;
    create("example.com", "a-ed", DKIM_KEY_ED25519);
    create("example.com", "s1", DKIM_KEY_RSA);
    create("example.com", "s2", DKIM_KEY_RSA);
    activate("example.com", "a-ed");
    activate("example.com", "s1");
    assert_active("example.com", "s1,a-ed");
    activate("example.com", "s2");
    assert_active("example.com", "s2,a-ed");
    assert_active("xample.com", "");
    assert_active("example.co", "");
}

static void keys_survive_a_restart(void **state)
{
    (void)state;
    create("example.com", "s1", DKIM_KEY_ED25519);
    create("example.net", "s1", DKIM_KEY_ED25519);
    activate("example.com", "s1");
    open_again();
    assert_active("example.com", "s1");
    assert_active("example.net", "");
}

static void a_name_is_taken_once_whatever_the_type(void **state)
{
    struct key_name name = named("example.com", "s1");

    (void)state;
    create("example.com", "s1", DKIM_KEY_ED25519);
    activate("example.com", "s1");
    assert_int_equal(key_store_create(store, &name, DKIM_KEY_RSA), -EEXIST);
    assert_int_equal(key_store_create(store, &name, DKIM_KEY_ED25519), -EEXIST);
    assert_active("example.com", "s1");
}

static void a_deleted_key_is_gone_for_good(void **state)
{
    struct key_name name = named("example.com", "s1");

    (void)state;
    create("example.com", "s1", DKIM_KEY_ED25519);
    activate("example.com", "s1");
    assert_int_equal(key_store_delete(store, &name), 0);
    assert_int_equal(key_store_delete(store, &name), -ENOENT);
    assert_int_equal(key_store_set_active(store, &name, true), -ENOENT);
    assert_active("example.com", "");
    open_again();
    assert_active("example.com", "");
}

/* Who still signs with a set is not disturbed by a change. */
static void a_held_set_does_not_change(void **state)
{
    struct key_name name = named("example.com", "s1");
    const struct signing_key *keys[KEYS_PER_DOMAIN];
    struct key_set *set;

    (void)state;
    create("example.com", "s1", DKIM_KEY_ED25519);
    activate("example.com", "s1");
    set = key_store_current(store);
    assert_int_equal(key_set_active(set, "example.com", keys), 1);
    assert_non_null(signing_key_private(store, keys[0]));
    assert_int_equal(key_store_delete(store, &name), 0);
    assert_int_equal(key_set_active(set, "example.com", keys), 1);
    assert_non_null(signing_key_private(store, keys[0]));
    key_set_unref(set);
}

static void keys_are_walked_in_order_of_name(void **state)
{
    struct key_name after = {.domain = ""};
    struct key_set *set;

    (void)state;
    create("b.example", "s", DKIM_KEY_ED25519);
    create("a.example", "t", DKIM_KEY_ED25519);
    create("a.example", "s", DKIM_KEY_ED25519);
    set = key_store_current(store);
    assert_string_equal(key_set_at(set, key_set_after(set, &after))->name.selector, "s");
    after = named("a.example", "s");
    assert_string_equal(key_set_at(set, key_set_after(set, &after))->name.selector, "t");
    after = named("a.example", "zz");
    assert_string_equal(key_set_at(set, key_set_after(set, &after))->name.domain, "b.example");
    after = named("b.example", "s");
    assert_null(key_set_at(set, key_set_after(set, &after)));
    key_set_unref(set);
}

static void write_file(const char *name, const char *text)
{
    int dir_fd = open(folder, O_RDONLY | O_DIRECTORY);

    assert_int_equal(key_file_write(dir_fd, name, slice_of(text)), 0);
    close(dir_fd);
}

/* As a crash between making the file and giving it its name would. */
static void leave_unfinished(void)
{
    char path[400];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, KEY_FILE_UNFINISHED);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_true(has_file(KEY_FILE_UNFINISHED));
}

static void a_spoilt_file_signs_nothing_and_harms_nobody(void **state)
{
    struct key_set *set;
    const struct signing_key *keys[KEYS_PER_DOMAIN];

    (void)state;
    write_file("bad._domainkey.example.com.rsa.pem", "rubbish");
    write_file("notes.txt", "not a key");
    write_file("..rsa.pem", "not a key");
    create("example.net", "s1", DKIM_KEY_ED25519);
    activate("example.net", "s1");
    leave_unfinished();
    open_again();
    assert_false(has_file(KEY_FILE_UNFINISHED));
    assert_active("example.net", "s1");
    set = key_store_current(store);
    assert_int_equal(key_set_active(set, "example.com", keys), 1);
    assert_null(signing_key_private(store, keys[0]));
    assert_null(signing_key_private(store, keys[0]));
    key_set_unref(set);
}

static void a_key_under_another_types_name_is_refused(void **state)
{
    CLEANUP(buffer) struct buffer pem = BUFFER_INIT;
    struct key_set *set;
    const struct signing_key *keys[KEYS_PER_DOMAIN];
    EVP_PKEY *private;

    (void)state;
    assert_int_equal(private_key_generate(&private, DKIM_KEY_ED25519), 0);
    assert_int_equal(private_key_encode(private, &pem), 0);
    buffer_append_byte(&pem, '\0');
    write_file("s._domainkey.example.com.rsa.pem", pem.data);
    EVP_PKEY_free(private);
    open_again();
    set = key_store_current(store);
    assert_int_equal(key_set_active(set, "example.com", keys), 1);
    assert_null(signing_key_private(store, keys[0]));
    key_set_unref(set);
}

static void a_folder_open_to_others_is_refused(void **state)
{
    struct key_store *other;
    int dir_fd;

    (void)state;
    assert_int_equal(chmod(folder, 0750), 0);
    assert_int_equal(key_store_open_folder(&dir_fd, folder, NULL), 0);
    assert_int_equal(key_store_open(&other, dir_fd), -EACCES);
}

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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_new_key_is_idle_until_activated),
        CASE(one_key_of_each_type_signs_rsa_first),
        CASE(keys_survive_a_restart),
        CASE(a_name_is_taken_once_whatever_the_type),
        CASE(a_deleted_key_is_gone_for_good),
        CASE(a_held_set_does_not_change),
        CASE(keys_are_walked_in_order_of_name),
        CASE(a_spoilt_file_signs_nothing_and_harms_nobody),
        CASE(a_key_under_another_types_name_is_refused),
        CASE(a_folder_open_to_others_is_refused),
        CASE(rsa_of_1024_to_4096_bits_is_imported),
        CASE(what_is_no_usable_key_is_refused_by_name),
        CASE(a_key_whose_parts_do_not_match_is_refused),
        CASE(an_imported_key_has_the_public_half_it_had),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
