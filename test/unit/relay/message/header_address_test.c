#include "test/support/test_support.h"

#include "relay/base/buffer.h"
#include "relay/message/header_address.h"

static struct buffer text;

/* The addresses of value parted by blanks, "!" behind them when something was malformed. */
static struct slice read_all(const char *value)
{
    struct slice list[4];
    struct header_addresses addresses = {list, 0, 4, false};
    struct arena arena;

    buffer_clear(&text);
    arena_init(&arena, 0);
    assert_int_equal(header_read_addresses(slice_of(value), &arena, &addresses), 0);
    for (unsigned i = 0; i < addresses.n; i++) {
        if (i)
            buffer_append_byte(&text, ' ');
        buffer_append(&text, list[i]);
    }
    if (addresses.is_malformed)
        buffer_append_byte(&text, '!');
    arena_reset(&arena);
    return buffer_slice(&text);
}

struct row {
    const char *value, *addresses;
};

static void check(const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++)
        assert_slice_is(read_all(rows[i].value), rows[i].addresses);
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(*(rows)))

static void addresses_are_found_in_every_legal_form(void **state)
{
    static const struct row rows[] = {
        {"a@x.org",                                             "a@x.org"                   },
        {" a@x.org ",                                           "a@x.org"                   },
        {"<a@x.org>",                                           "a@x.org"                   },
        {"Bob <a@x.org>",                                       "a@x.org"                   },
        {"\"Bob, \\\"B\\\"\" <a@x.org>",                        "a@x.org"                   },
        {"Bob (his (own) address: b@y.org) <a@x.org> (really)", "a@x.org"                   },
        {"a(x)@(y)x.org",                                       "a@x.org"                   },
        {"a @ x.org",                                           "a@x.org"                   },
        {"Bob\r\n <a@\r\n\tx.org>",                             "a@x.org"                   },
        {"a@x.org, B <b@x.org>,,c@x.org",                       "a@x.org b@x.org c@x.org"   },
        {"Friends: a@x.org, B <b@x.org>;",                      "a@x.org b@x.org"           },
        {"Friends: a@x.org;, b@x.org",                          "a@x.org b@x.org"           },
        {"<@r.org,@s.org:a@x.org>",                             "a@x.org"                   },
        {"\"a b\"@x.org",                                       "\"a b\"@x.org"             },
        {"\"a@evil.org\"@x.org",                                "\"a@evil.org\"@x.org"      },
        {"a@[192.0.2.1]",                                       "a@[192.0.2.1]"             },
        {"=?utf-8?Q?a=40b?= <a@x.org>",                         "a@x.org"                   },
        {"caff\xc3\xa8@x\xc3\xa8.org",                          "caff\xc3\xa8@x\xc3\xa8.org"},
        {"a%b!c@x.org",                                         "a%b!c@x.org"               },
    };

    (void)state;
    CHECK(rows);
}

static void sloppy_display_names_are_forgiven(void **state)
{
    static const struct row rows[] = {
        {"Acme, Inc. <a@x.org>",             "a@x.org"},
        {"Acme [Team, 1] <a@x.org>",         "a@x.org"},
        {"Bob \\ the b\x01uilder <a@x.org>", "a@x.org"},
        {"=?utf-8?Q?me@home?= <a@x.org>",    "a@x.org"},
        {"a@x.org <A@x.org>",                "a@x.org"},
    };

    (void)state;
    CHECK(rows);
}

/* Whatever some reader might show as the sender must be allowed too. */
static void an_address_in_front_of_the_brackets_counts(void **state)
{
    static const struct row rows[] = {
        {"ceo@bank.org <a@x.org>",  "ceo@bank.org a@x.org"},
        {"ceo@bank.org, <a@x.org>", "ceo@bank.org a@x.org"},
    };

    (void)state;
    CHECK(rows);
}

static void what_is_ambiguous_is_malformed(void **state)
{
    static const struct row rows[] = {
        {"",                                        "!"                               },
        {"nobody",                                  "!"                               },
        {"undisclosed:;",                           "!"                               },
        {"<>",                                      "!"                               },
        {"<a@x.org",                                "!"                               },
        {"a@x.org>",                                "!"                               },
        {"<a@x.org> <b@x.org>",                     "a@x.org b@x.org!"                },
        {"<a@x.org> trailing",                      "a@x.org!"                        },
        {"<a@x.org> b@x.org",                       "a@x.org b@x.org!"                },
        {"a@b@x.org",                               "!"                               },
        {"a b@x.org",                               "!"                               },
        {"a. b@x.org",                              "!"                               },
        {"@x.org",                                  "!"                               },
        {"a@",                                      "!"                               },
        {"a@x..org",                                "!"                               },
        {"a@x.org.",                                "!"                               },
        {"a@\"x\".org",                             "!"                               },
        {"\"a@x.org",                               "!"                               },
        {"Bob (no end <a@x.org>",                   "!"                               },
        {"[no end <a@x.org>",                       "!"                               },
        {"<\"a\r\nb\"@x.org>",                      "!"                               },
        {"a@x.org: b@x.org;",                       "b@x.org!"                        },
        {"b@y.org x <a@x.org>",                     "a@x.org!"                        },
        {"=?a?q?,b@y.org,?= <a@x.org>",             "!"                               },
        {"=?a?q?<b@y.org>?= <a@x.org>",             "!"                               },
        {"=?a?q?\"?= <a@x.org>, \" <b@y.org>, \"",  "!"                               },
        {"=?a?q?x:b@y.org;?= <a@x.org>",            "!"                               },
        {"[,b@y.org,] <a@x.org>",                   "!"                               },
        {"a@1.org,a@2.org,a@3.org,a@4.org,a@5.org", "a@1.org a@2.org a@3.org a@4.org!"},
    };

    (void)state;
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found_in_every_legal_form),
        cmocka_unit_test(sloppy_display_names_are_forgiven),
        cmocka_unit_test(an_address_in_front_of_the_brackets_counts),
        cmocka_unit_test(what_is_ambiguous_is_malformed),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&text);
    return n_failed;
}
