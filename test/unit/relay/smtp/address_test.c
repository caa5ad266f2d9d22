#include "test/support/test_support.h"

#include <stdio.h>

#include "relay/smtp/address.h"

static void mailboxes_are_split_at_the_last_at_sign_outside_quotes(void **state)
{
    static const struct {
        const char *text, *local, *domain;
        bool is_utf8, is_literal;
    } rows[] = {
        {"a@b",                                "a",                      "b",                         false, false},
        {"first.last+tag@example.org",         "first.last+tag",         "example.org",               false, false},
        {"!#$%&'*+-/=?^_`{|}~@example.org",    "!#$%&'*+-/=?^_`{|}~",    "example.org",               false, false},
        {"user%victim.example@example.org",    "user%victim.example",    "example.org",               false, false},
        {"\"a@b\"@example.org",                "\"a@b\"",                "example.org",               false, false},
        {"\"\"@example.org",                   "\"\"",                   "example.org",               false, false},
        {"\"a\\\"\\\\ b\"@example.org",        "\"a\\\"\\\\ b\"",        "example.org",               false, false},
        {"a@x-1.xn--bcher-kva.example",        "a",                      "x-1.xn--bcher-kva.example", false, false},
        {"a@_host.example",                    "a",                      "_host.example",             false, false},
        {"a@1.2.3.com",                        "a",                      "1.2.3.com",                 false, false},
        {"a@[192.0.2.1]",                      "a",                      "[192.0.2.1]",               false, true },
        {"a@[IPv6:2001:db8::1]",               "a",                      "[IPv6:2001:db8::1]",        false, true },
        {"a@[ipv6:::ffff:192.0.2.1]",          "a",                      "[ipv6:::ffff:192.0.2.1]",   false, true },
        {"\xc3\xa9@example.org",               "\xc3\xa9",               "example.org",               true,  false},
        {"a@b\xc3\xbc.example",                "a",                      "b\xc3\xbc.example",         true,  false},
        {"\"\xf0\x9f\x93\xa7 x\"@example.org", "\"\xf0\x9f\x93\xa7 x\"", "example.org",               true,
         false                                                                                                    },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address address;

        assert_int_equal(address_parse_mailbox(slice_of(rows[i].text), &address), ADDRESS_OK);
        assert_slice_is(address.whole, rows[i].text);
        assert_slice_is(address.local, rows[i].local);
        assert_slice_is(address.domain, rows[i].domain);
        assert_int_equal(address.is_utf8, rows[i].is_utf8);
        assert_int_equal(address.is_literal, rows[i].is_literal);
        assert_false(address.is_null);
    }
}

static const struct {
    const char *text;
    enum address_problem problem;
} malformed[] = {
    {"",                                                                           ADDRESS_BAD_LOCAL },
    {"a",                                                                          ADDRESS_BAD_LOCAL },
    {"@b",                                                                         ADDRESS_BAD_LOCAL },
    {"a b@c",                                                                      ADDRESS_BAD_LOCAL },
    {"a..b@c",                                                                     ADDRESS_BAD_LOCAL },
    {".a@c",                                                                       ADDRESS_BAD_LOCAL },
    {"a.@c",                                                                       ADDRESS_BAD_LOCAL },
    {"a,b@c",                                                                      ADDRESS_BAD_LOCAL },
    {"<a@b>",                                                                      ADDRESS_BAD_LOCAL },
    {"\"a@b",                                                                      ADDRESS_BAD_LOCAL },
    {"\"a\\",                                                                      ADDRESS_BAD_LOCAL },
    {"\"a\\\xc3\xa9\"@b",                                                          ADDRESS_BAD_LOCAL },
    {"\"a\tb\"@c",                                                                 ADDRESS_BAD_LOCAL },
    {"\"a\\\tb\"@c",                                                               ADDRESS_BAD_LOCAL },
    {"\"a\"b@c",                                                                   ADDRESS_BAD_LOCAL },
    {"\xe9@c",                                                                     ADDRESS_BAD_LOCAL },
    {"\xc2\x80@c",                                                                 ADDRESS_BAD_LOCAL },
    {"\xf4\x90\x80\x80@c",                                                         ADDRESS_BAD_LOCAL },
    {"a@",                                                                         ADDRESS_BAD_DOMAIN},
    {"a@b@c",                                                                      ADDRESS_BAD_DOMAIN},
    {"a@b.",                                                                       ADDRESS_BAD_DOMAIN},
    {"a@.b",                                                                       ADDRESS_BAD_DOMAIN},
    {"a@b..c",                                                                     ADDRESS_BAD_DOMAIN},
    {"a@-b",                                                                       ADDRESS_BAD_DOMAIN},
    {"a@b-.c",                                                                     ADDRESS_BAD_DOMAIN},
    {"a@b c",                                                                      ADDRESS_BAD_DOMAIN},
    {"a@b>c",                                                                      ADDRESS_BAD_DOMAIN},
    {"a@b/c",                                                                      ADDRESS_BAD_DOMAIN},
    {"a@192.0.2.1",                                                                ADDRESS_BAD_DOMAIN},
    {"a@0",                                                                        ADDRESS_BAD_DOMAIN},
    {"a@[192.0.2.1",                                                               ADDRESS_BAD_DOMAIN},
    {"a@[]",                                                                       ADDRESS_BAD_DOMAIN},
    {"a@[192.0.2.01]",                                                             ADDRESS_BAD_DOMAIN},
    {"a@[192.0.2]",                                                                ADDRESS_BAD_DOMAIN},
    {"a@[2001:db8::1]",                                                            ADDRESS_BAD_DOMAIN},
    {"a@[IPv6:192.0.2.1]",                                                         ADDRESS_BAD_DOMAIN},
    {"a@[IPv6:fe80::1%eth0]",                                                      ADDRESS_BAD_DOMAIN},
    {"a@[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]",            ADDRESS_BAD_DOMAIN},
    {"a@[tag:content]",                                                            ADDRESS_BAD_DOMAIN},
    {"a@\xff.example",                                                             ADDRESS_BAD_DOMAIN},
    {"a@b\xe3\x80\x82"
     "c",                                                                     ADDRESS_BAD_DOMAIN},
    {"a@b\xef\xbc\x8e"
     "c",                                                                     ADDRESS_BAD_DOMAIN},
    {"a@b\xef\xbd\xa1"
     "c",                                                                     ADDRESS_BAD_DOMAIN},
    {"a@b\xef\xbc\xa0"
     "c.example",                                                             ADDRESS_BAD_DOMAIN},
    {"a@abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd.example",
     ADDRESS_BAD_DOMAIN                                                                              },
};

static void malformed_mailboxes_are_refused_and_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct address address = {.whole = SLICE_LITERAL("untouched")};

        assert_int_equal(address_parse_mailbox(slice_of(malformed[i].text), &address),
                         malformed[i].problem);
        assert_slice_is(address.whole, "untouched");
    }
}

static void a_nul_is_never_an_end(void **state)
{
    struct address address;

    (void)state;
    assert_int_equal(address_parse_mailbox(SLICE_LITERAL("a\0b@c"), &address), ADDRESS_BAD_LOCAL);
    assert_int_equal(address_parse_mailbox(SLICE_LITERAL("\"a\0b\"@c"), &address),
                     ADDRESS_BAD_LOCAL);
    assert_int_equal(address_parse_mailbox(SLICE_LITERAL("a@c\0d"), &address), ADDRESS_BAD_DOMAIN);
    assert_int_equal(address_parse_mailbox(SLICE_LITERAL("a@[1.2.3.4\0]"), &address),
                     ADDRESS_BAD_DOMAIN);
}

static enum address_problem parse_with_lengths(int local_len, int domain_len)
{
    char text[1024], label[] = "abcdefghijklmnopqrstuvwxyz.";
    struct address address;
    int len = 0;

    for (int i = 0; i < local_len; i++)
        text[len++] = 'x';
    text[len++] = '@';
    for (int i = 0; i < domain_len; i++)
        text[len++] = label[i % 27];
    return address_parse_mailbox(slice_from(text, (size_t)len), &address);
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(parse_with_lengths(64, 20), ADDRESS_OK);
    assert_int_equal(parse_with_lengths(ADDRESS_LOCAL_MAX, ADDRESS_DOMAIN_MAX), ADDRESS_OK);
    assert_int_equal(parse_with_lengths(ADDRESS_LOCAL_MAX + 1, 20), ADDRESS_TOO_LONG);
    assert_int_equal(parse_with_lengths(1, ADDRESS_DOMAIN_MAX + 1), ADDRESS_TOO_LONG);
    assert_false(address_is_domain(slice_of("")));
}

static void paths_are_read_and_stepped_over(void **state)
{
    static const struct {
        const char *text, *whole, *rest;
        bool is_null, is_postmaster;
    } rows[] = {
        {"<a@b> SIZE=3",   "a@b",          " SIZE=3", false, false},
        {"<>",             "",             "",        true,  false},
        {"<> X",           "",             " X",      true,  false},
        {"<postMaster>",   "postMaster",   "",        false, true },
        {"<postmaster@b>", "postmaster@b", "",        false, false},
        {"<\"a>b\"@c>",    "\"a>b\"@c",    "",        false, false},
        {"<a@b>c>",        "a@b",          "c>",      false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = slice_of(rows[i].text);
        struct address address;

        assert_int_equal(address_parse_path(&text, &address), ADDRESS_OK);
        assert_slice_is(address.whole, rows[i].whole);
        assert_slice_is(text, rows[i].rest);
        assert_int_equal(address.is_null, rows[i].is_null);
        assert_int_equal(address.is_postmaster, rows[i].is_postmaster);
    }
}

static void malformed_paths_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum address_problem problem;
    } rows[] = {
        {"",            ADDRESS_NO_BRACKETS},
        {"a@b",         ADDRESS_NO_BRACKETS},
        {"<a@b",        ADDRESS_NO_BRACKETS},
        {"<a@b >",      ADDRESS_NO_BRACKETS},
        {"<",           ADDRESS_BAD_LOCAL  },
        {"< >",         ADDRESS_BAD_LOCAL  },
        {"< a@b>",      ADDRESS_BAD_LOCAL  },
        {"<<a@b>>",     ADDRESS_BAD_LOCAL  },
        {"<@c:a@b>",    ADDRESS_HAS_ROUTE  },
        {"<@c,@d:a@b>", ADDRESS_HAS_ROUTE  },
        {"<postmaster", ADDRESS_BAD_LOCAL  },
        {"<a@b.>",      ADDRESS_BAD_DOMAIN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = slice_of(rows[i].text);
        struct address address = {.whole = SLICE_LITERAL("untouched")};

        assert_int_equal(address_parse_path(&text, &address), rows[i].problem);
        assert_slice_is(text, rows[i].text);
        assert_slice_is(address.whole, "untouched");
    }
}

static void utf8_is_checked_octet_by_octet(void **state)
{
    static const char *const clean[] = {"",
                                        "a",
                                        "\xc2\xa0",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xef\xbf\xbd",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"};
    static const char *const foul[] = {"\x1f",
                                       "\x7f",
                                       "\x80",
                                       "\xc2",
                                       "\xc2\x41",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc2\x9f",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xe2\x82",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "\xe2\x82\xc0"};

    (void)state;
    for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
        assert_true(address_is_clean_utf8(slice_of(clean[i])));
    for (size_t i = 0; i < sizeof(foul) / sizeof(foul[0]); i++)
        assert_false(address_is_clean_utf8(slice_of(foul[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_split_at_the_last_at_sign_outside_quotes),
        cmocka_unit_test(malformed_mailboxes_are_refused_and_change_nothing),
        cmocka_unit_test(a_nul_is_never_an_end),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(paths_are_read_and_stepped_over),
        cmocka_unit_test(malformed_paths_are_refused),
        cmocka_unit_test(utf8_is_checked_octet_by_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
