#include "test/support/test_support.h"

#include "webui/user_waits.h"

static void each_user_has_its_own_counts(void **state)
{
    struct user_waits waits = {0};

    (void)state;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t id = 0; id < 5000; id++)
            user_waits_note(&waits, id * 64, round == 2);
    assert_int_equal(waits.n_users, 5000);
    assert_false(waits.is_cut);
    for (uint32_t id = 0; id < 5000; id++) {
        struct user_wait wait = user_waits_of(&waits, id * 64);

        assert_int_equal(wait.n_queued, 2);
        assert_int_equal(wait.n_held, 1);
    }
    assert_int_equal(user_waits_of(&waits, 1).n_queued, 0);
    user_waits_fini(&waits);
}

static void after_clearing_nobody_waits(void **state)
{
    struct user_waits waits = {0};

    (void)state;
    assert_int_equal(user_waits_of(&waits, 7).n_queued, 0);
    user_waits_note(&waits, 7, false);
    user_waits_clear(&waits);
    assert_int_equal(user_waits_of(&waits, 7).n_queued, 0);
    user_waits_note(&waits, 8, true);
    assert_int_equal(user_waits_of(&waits, 8).n_held, 1);
    assert_int_equal(waits.n_users, 1);
    user_waits_fini(&waits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_user_has_its_own_counts),
        cmocka_unit_test(after_clearing_nobody_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
