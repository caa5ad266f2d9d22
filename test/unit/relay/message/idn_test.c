#include "test/support/test_support.h"

#include "relay/message/idn.h"

static void domains_become_ascii(void **state)
{
    static const struct {
        const char *domain, *ascii;
    } rows[] = {
        {"Example.ORG",          "example.org"          },
        {"caff\xc3\xa8.example", "xn--caff-8oa.example" },
        {"CAFF\xc3\x88.example", "xn--caff-8oa.example" },
        {"stra\xc3\x9f"
         "e.example",   "xn--strae-oqa.example"},
        {"xn--caff-8oa.example", "xn--caff-8oa.example" },
        {"_dmarc.example.org",   "_dmarc.example.org"   },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char ascii[IDN_SIZE];

        assert_int_equal(idn_to_ascii(slice_of(rows[i].domain), ascii), 0);
        assert_string_equal(ascii, rows[i].ascii);
    }
}

static void what_is_no_domain_is_invalid(void **state)
{
    static const struct slice domains[] = {
        SLICE_LITERAL(""),
        SLICE_LITERAL("."),
        SLICE_LITERAL("a..b"),
        SLICE_LITERAL("a.b."),
        SLICE_LITERAL(".a"),
        SLICE_LITERAL("a b"),
        SLICE_LITERAL("a\0b"),
        SLICE_LITERAL("\xff.org"),
        SLICE_LITERAL("caff\xc3\xa8\0.org"),
        SLICE_LITERAL("a@b.org"),
        SLICE_LITERAL("[1.2.3.4]"),
        SLICE_LITERAL("0123456789012345678901234567890123456789012345678901234567890123.org"),
    };
    char ascii[IDN_SIZE];
    char longest[300];

    (void)state;
    for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
        assert_int_equal(idn_to_ascii(domains[i], ascii), IDN_INVALID);
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 2 ? '.' : 'a';
    assert_int_equal(idn_to_ascii(slice_from(longest, 253), ascii), 0);
    assert_int_equal(idn_to_ascii(slice_from(longest, 255), ascii), IDN_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_become_ascii),
        cmocka_unit_test(what_is_no_domain_is_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
