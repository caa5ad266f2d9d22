#include "test/support/test_support.h"

#include "policy/sender_rules.h"

static void rules_are_stored_in_one_form(void **state)
{
    static const struct {
        const char *text, *stored; /* NULL: refused */
    } cases[] = {
        {"*",                        "*"                       },
        {"Example.ORG",              "example.org"             },
        {"Info@Example.ORG",         "Info@example.org"        },
        {"m\xc3\xbcnchen.example",   "xn--mnchen-3ya.example"  },
        {"a@M\xc3\x9cnchen.example", "a@xn--mnchen-3ya.example"},
        {"\"a b\"@example.org",      "\"a b\"@example.org"     },
        {"root@localhost",           "root@localhost"          },
        {"",                         NULL                      },
        {"@example.org",             NULL                      },
        {"info@",                    NULL                      },
        {"example",                  NULL                      },
        {"*.example.org",            NULL                      },
        {"example.org.",             NULL                      },
        {"exa mple.org",             NULL                      },
        {"a\r\n@example.org",        NULL                      },
        {"a@b@example.org",          NULL                      },
        {"a b@example.org",          NULL                      },
        {"**",                       NULL                      },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char stored[SENDER_RULE_SIZE] = "";
        bool is_rule = sender_rule_normalize(slice_of(cases[i].text), stored);

        if (is_rule != (cases[i].stored != NULL))
            fail_msg("\"%s\" is %s", cases[i].text, is_rule ? "accepted" : "refused");
        if (is_rule)
            assert_string_equal(stored, cases[i].stored);
    }
}

static void a_rule_allows_what_it_says_and_no_more(void **state)
{
    static const struct {
        const char *rule, *address;
        bool is_allowed;
    } cases[] = {
        {"*",                      "anybody@example.net",            true },
        {"example.org",            "info@example.org",               true },
        {"example.org",            "INFO@EXAMPLE.ORG",               true },
        {"example.org",            "info@sub.example.org",           false},
        {"example.org",            "info@example.org.evil.example",  false},
        {"example.org",            "info@badexample.org",            false},
        {"example.org",            "info%example.org@evil.example",  false},
        {"example.org",            "\"x@example.org\"@evil.example", false},
        {"example.org",            "evil.example!u@example.org",     true },
        {"example.org",            "info@[192.0.2.1]",               false},
        {"example.org",            "info@example.org.",              false},
        {"example.org",            "example.org",                    false},
        {"example.org",            "@example.org",                   false},
        {"example.org",            "info@",                          false},
        {"xn--mnchen-3ya.example", "x@m\xc3\xbcnchen.example",       true },
        {"xn--mnchen-3ya.example", "x@M\xc3\x9cNCHEN.example",       true },
        {"xn--mnchen-3ya.example", "x@munchen.example",              false},
        {"example.org",            "x@\xd0\xb5xample.org",           false}, /* Cyrillic e */
        {"info@example.org",       "info@example.org",               true },
        {"info@example.org",       "Info@Example.Org",               true },
        {"info@example.org",       "info+tag@example.org",           false},
        {"info@example.org",       "\"info\"@example.org",           false},
        {"info@example.org",       "info@example.net",               false},
        {"info@example.org",       "",                               true }, /* the null sender */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sender_rule rule = sender_rule_of(slice_of(cases[i].rule));

        if (sender_rules_allow(&rule, 1, slice_of(cases[i].address)) != cases[i].is_allowed)
            fail_msg("%s, <%s>", cases[i].rule, cases[i].address);
    }
}

static void a_nul_does_not_end_an_address(void **state)
{
    struct sender_rule rule = sender_rule_of(SLICE_LITERAL("example.org"));

    (void)state;
    assert_false(sender_rules_allow(&rule, 1, SLICE_LITERAL("a@example.org\0.evil.example")));
    assert_false(sender_rules_allow(&rule, 1, SLICE_LITERAL("a@evil.example\0@example.org\0")));
}

static void without_rules_only_the_null_sender_is_allowed(void **state)
{
    (void)state;
    assert_true(sender_rules_allow(NULL, 0, SLICE_LITERAL("")));
    assert_false(sender_rules_allow(NULL, 0, SLICE_LITERAL("a@example.org")));
}

static void any_of_several_rules_is_enough(void **state)
{
    const struct sender_rule rules[] = {sender_rule_of(SLICE_LITERAL("a@example.org")),
                                        sender_rule_of(SLICE_LITERAL("example.net"))};

    (void)state;
    assert_true(sender_rules_allow(rules, 2, SLICE_LITERAL("a@example.org")));
    assert_true(sender_rules_allow(rules, 2, SLICE_LITERAL("b@example.net")));
    assert_false(sender_rules_allow(rules, 2, SLICE_LITERAL("b@example.org")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_stored_in_one_form),
        cmocka_unit_test(a_rule_allows_what_it_says_and_no_more),
        cmocka_unit_test(a_nul_does_not_end_an_address),
        cmocka_unit_test(without_rules_only_the_null_sender_is_allowed),
        cmocka_unit_test(any_of_several_rules_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
