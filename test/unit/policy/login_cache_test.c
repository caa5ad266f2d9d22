#include "test/support/test_support.h"

#include "policy/login_cache.h"

static struct login_cache *cache;

static int set_up(void **state)
{
    (void)state;
    return login_cache_new(&cache, 3);
}

static int tear_down(void **state)
{
    (void)state;
    cache = login_cache_free(cache);
    return 0;
}

static const uint8_t *digest(uint8_t n)
{
    static uint8_t bytes[DIGEST_BYTES];

    memset(bytes, n, sizeof(bytes));
    return bytes;
}

static void a_success_is_remembered_for_five_minutes(void **state)
{
    (void)state;
    assert_int_equal(login_cache_find(cache, digest(1), 0), 0);
    login_cache_add(cache, digest(1), 42, 1000);
    assert_int_equal(login_cache_find(cache, digest(1), 1000), 42);
    assert_int_equal(login_cache_find(cache, digest(1), 1000 + 299999), 42);
    assert_int_equal(login_cache_find(cache, digest(1), 1000 + 300000), 0);
}

static void being_asked_does_not_prolong_it(void **state)
{
    (void)state;
    login_cache_add(cache, digest(1), 42, 0);
    for (int64_t now_ms = 0; now_ms < LOGIN_CACHE_MS; now_ms += 60000)
        assert_int_equal(login_cache_find(cache, digest(1), now_ms), 42);
    assert_int_equal(login_cache_find(cache, digest(1), LOGIN_CACHE_MS), 0);
}

static void digests_with_the_same_start_are_not_mixed_up(void **state)
{
    uint8_t other[DIGEST_BYTES];

    (void)state;
    memcpy(other, digest(1), sizeof(other));
    other[DIGEST_BYTES - 1] ^= 1;
    login_cache_add(cache, digest(1), 42, 0);
    assert_int_equal(login_cache_find(cache, other, 0), 0);
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 4; i++)
        login_cache_add(cache, digest(i), i, i);
    assert_int_equal(login_cache_find(cache, digest(1), 5), 0);
    for (uint8_t i = 2; i <= 4; i++)
        assert_int_equal(login_cache_find(cache, digest(i), 5), i);
}

static void adding_again_replaces_and_dropping_forgets(void **state)
{
    (void)state;
    login_cache_add(cache, digest(1), 1, 0);
    login_cache_add(cache, digest(1), 2, 200000);
    assert_int_equal(login_cache_find(cache, digest(1), 400000), 2);
    login_cache_drop(cache, digest(1));
    login_cache_drop(cache, digest(1));
    assert_int_equal(login_cache_find(cache, digest(1), 400000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_success_is_remembered_for_five_minutes),     TEST(being_asked_does_not_prolong_it),
        TEST(digests_with_the_same_start_are_not_mixed_up), TEST(the_oldest_makes_room),
        TEST(adding_again_replaces_and_dropping_forgets),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
