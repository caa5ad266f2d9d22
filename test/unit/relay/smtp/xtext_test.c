#include "test/support/test_support.h"

#include "relay/smtp/xtext.h"

static void what_is_not_xtext_is_refused(void **state)
{
    static const char *const rows[] = {"a b", "a=b", "+",    "+2",          "a+2", "+2b",
                                       "+GG", "+0g", "\x7f", "caf\xc3\xa9", "a\tb"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(xtext_is_printable(slice_of(rows[i])));
}

static void decoded_controls_are_not_printable(void **state)
{
    static const char *const controls[] = {"a+0D+0A", "+00", "+7F", "+80", "x+1Fx"};
    static const char *const printable[] = {"", "a+20b", "+2B+3D", "rfc822;a@b.example", "+7E"};

    (void)state;
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
        assert_false(xtext_is_printable(slice_of(controls[i])));
    for (size_t i = 0; i < sizeof(printable) / sizeof(printable[0]); i++)
        assert_true(xtext_is_printable(slice_of(printable[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_xtext_is_refused),
        cmocka_unit_test(decoded_controls_are_not_printable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
