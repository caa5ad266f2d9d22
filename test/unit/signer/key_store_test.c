#include "test/support/test_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "signer/key_file.h"
#include "test/unit/signer/key_folder.h"

static void open_again(void)
{
    store = key_store_close(store);
    open_store();
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
