#include "test/support/test_support.h"

#include <stdio.h>

#include "policy/session_table.h"
#include "relay/base/secret.h"

static struct session_table table;

static int set_up(void **state)
{
    (void)state;
    table = (struct session_table){
        .limits = {.in_all = 10, .per_address = 3, .per_user = 2}
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    session_table_fini(&table);
    return 0;
}

static struct ip_address ip(const char *text)
{
    struct ip_address address;

    assert_true(ip_parse(slice_of(text), &address));
    return address;
}

static void an_address_has_its_limit(void **state)
{
    uint64_t keys[4];

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(session_table_open(&table, ip("192.0.2.1"), &keys[i]), SESSION_OK);
    assert_int_equal(session_table_open(&table, ip("192.0.2.1"), &keys[3]),
                     SESSION_TOO_MANY_OF_ADDRESS);
    assert_int_equal(session_table_open(&table, ip("::ffff:192.0.2.1"), &keys[3]),
                     SESSION_TOO_MANY_OF_ADDRESS);
    assert_int_equal(session_table_open(&table, ip("192.0.2.2"), &keys[3]), SESSION_OK);
    session_table_close(&table, keys[0], 0);
    assert_int_equal(session_table_open(&table, ip("192.0.2.1"), &keys[0]), SESSION_OK);
}

static void v6_is_counted_by_64(void **state)
{
    uint64_t key;

    (void)state;
    assert_int_equal(session_table_open(&table, ip("2001:db8::1"), &key), SESSION_OK);
    assert_int_equal(session_table_open(&table, ip("2001:db8::2"), &key), SESSION_OK);
    assert_int_equal(session_table_open(&table, ip("2001:db8:0:0:9::"), &key), SESSION_OK);
    assert_int_equal(session_table_open(&table, ip("2001:db8::3"), &key),
                     SESSION_TOO_MANY_OF_ADDRESS);
    assert_int_equal(session_table_open(&table, ip("2001:db8:0:1::3"), &key), SESSION_OK);
}

static void all_together_have_their_limit(void **state)
{
    char address[32];
    uint64_t key;

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(address, sizeof(address), "192.0.2.%d", i);
        assert_int_equal(session_table_open(&table, ip(address), &key), SESSION_OK);
    }
    assert_int_equal(session_table_open(&table, ip("198.51.100.1"), &key), SESSION_TOO_MANY);
}

static void a_user_has_a_limit_or_one_of_its_own(void **state)
{
    uint64_t address_key, user_keys[3] = {0};

    (void)state;
    assert_int_equal(session_table_open(&table, ip("192.0.2.1"), &address_key), SESSION_OK);
    assert_int_equal(session_table_use(&table, 7, 0, &user_keys[0]), SESSION_OK);
    assert_int_equal(session_table_use(&table, 7, 0, &user_keys[1]), SESSION_OK);
    assert_int_equal(session_table_use(&table, 7, 0, &user_keys[2]), SESSION_TOO_MANY_OF_USER);
    assert_int_equal(user_keys[2], 0);
    assert_int_equal(session_table_use(&table, 7, 3, &user_keys[2]), SESSION_OK);
    assert_int_equal(session_table_use(&table, 8, 0, &user_keys[2]), SESSION_OK);
}

static void closing_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t address_key, user_key = 0;
        char address[32];

        snprintf(address, sizeof(address), "10.0.%u.%u", i / 250, i % 250);
        assert_int_equal(session_table_open(&table, ip(address), &address_key), SESSION_OK);
        assert_int_equal(session_table_use(&table, i + 1, 0, &user_key), SESSION_OK);
        assert_int_equal(table.counts.n_entries, 2);
        session_table_close(&table, address_key, user_key);
    }
    assert_int_equal(table.n_open, 0);
    assert_int_equal(table.counts.n_entries, 0);
}

static void zero_is_no_limit(void **state)
{
    uint64_t key;

    (void)state;
    table.limits = (struct session_limits){0};
    for (int i = 0; i < 500; i++)
        assert_int_equal(session_table_open(&table, ip("192.0.2.1"), &key), SESSION_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_address_has_its_limit),      TEST(v6_is_counted_by_64),
        TEST(all_together_have_their_limit), TEST(a_user_has_a_limit_or_one_of_its_own),
        TEST(closing_leaves_nothing_behind), TEST(zero_is_no_limit),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
