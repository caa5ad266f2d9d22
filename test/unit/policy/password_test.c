#include "test/support/test_support.h"

#include "policy/password.h"
#include "relay/base/secret.h"

static void weak_passwords_are_named(void **state)
{
    static const struct {
        const char *password, *reason_has; /* NULL: good */
    } cases[] = {
        {"",                          "fewer than 15"},
        {"fourteen chars",            "fewer than 15"},
        {"fifteen letters",           NULL           },
        {"a pass\tword with tab",     "control"      },
        {"a pass word\x7f with del",  "control"      },
        {"NewsLetter@Example.org",    "name"         },
        {"aaaaaaaaaaaaaaaaaaaa",      "tried first"  },
        {"abababababababababab",      "tried first"  },
        {"123456789012345",           "tried first"  },
        {"CorrectHorseBatteryStaple", "tried first"  },
        {"\xc3\xa8 una frase lunga",  NULL           },
        {"correct horse battery",     NULL           },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *reason =
            password_weakness(slice_of(cases[i].password), SLICE_LITERAL("newsletter@example.org"));

        if ((reason != NULL) != (cases[i].reason_has != NULL) ||
            (reason && !strstr(reason, cases[i].reason_has)))
            fail_msg("\"%s\": %s", cases[i].password, reason ? reason : "good");
    }
}

static void length_has_an_upper_bound(void **state)
{
    char password[PASSWORD_MAX_LENGTH + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(password); i++)
        password[i] = (char)('a' + i % 26);
    assert_null(password_weakness(slice_from(password, PASSWORD_MAX_LENGTH), slice_of("u")));
    assert_non_null(
        password_weakness(slice_from(password, PASSWORD_MAX_LENGTH + 1), slice_of("u")));
}

static void generated_passwords_are_long_good_and_different(void **state)
{
    char first[GENERATED_PASSWORD_SIZE], second[GENERATED_PASSWORD_SIZE];

    (void)state;
    password_generate(first);
    password_generate(second);
    assert_true(strlen(first) >= 20);
    assert_null(password_weakness(slice_of(first), slice_of("user")));
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_passwords_are_named),
        cmocka_unit_test(length_has_an_upper_bound),
        cmocka_unit_test(generated_passwords_are_long_good_and_different),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
