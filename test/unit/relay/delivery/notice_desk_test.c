#include "test/support/test_support.h"

#include "relay/delivery/notice_desk.h"

static const int64_t HOUR_MS = 3600 * 1000;

static void a_rule_is_told_once_an_hour(void **state)
{
    struct notice_desk desk = {0};

    (void)state;
    assert_true(notice_desk_may_tell(&desk, 1, 5));
    assert_false(notice_desk_may_tell(&desk, 1, HOUR_MS));
    assert_true(notice_desk_may_tell(&desk, 2, HOUR_MS));
    assert_true(notice_desk_may_tell(&desk, 1, 5 + HOUR_MS));
    assert_false(notice_desk_may_tell(&desk, 1, 6 + HOUR_MS));
}

static void all_rules_together_have_so_many_letters_a_day(void **state)
{
    struct notice_desk desk = {0};

    (void)state;
    for (uint64_t rule = 1; rule <= NOTICES_OF_RULES; rule++)
        assert_true(notice_desk_may_tell(&desk, rule, (int64_t)rule));
    assert_false(notice_desk_may_tell(&desk, 1000, 2 * HOUR_MS));
    assert_false(notice_desk_may_tell(&desk, 1000, 24 * HOUR_MS));
    assert_true(notice_desk_may_tell(&desk, 1000, 24 * HOUR_MS + 1));
    assert_false(notice_desk_may_tell(&desk, 1001, 24 * HOUR_MS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_told_once_an_hour),
        cmocka_unit_test(all_rules_together_have_so_many_letters_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
