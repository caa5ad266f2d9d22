#include "test/support/test_support.h"

#include "relay/message/line_scan.h"

static void the_longest_line_is_found_whatever_the_chunks(void **state)
{
    static const struct {
        const char *body;
        size_t longest;
        bool has_eight_bit;
    } rows[] = {
        {"",                   0, false},
        {"\r\n",               0, false},
        {"abc\r\nde\r\n",      3, false},
        {"a\r\nbcdef",         5, false},
        {"a\r\nb\xc3\xa8\r\n", 3, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t piece = 1; piece < 9; piece++) {
            struct slice rest = slice_of(rows[i].body);
            struct line_scan scan = {0};

            for (; rest.len; rest = slice_skip(rest, piece))
                line_scan_feed(&scan, slice_head(rest, piece));
            assert_int_equal(scan.longest_line, rows[i].longest);
            assert_int_equal(scan.has_eight_bit, rows[i].has_eight_bit);
        }
    }
}

static void a_byte_above_127_is_found_at_every_place(void **state)
{
    char bytes[40];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        memset(bytes, 'x', sizeof(bytes));
        assert_false(has_eight_bit(slice_from(bytes, sizeof(bytes))));
        bytes[i] = '\x80';
        assert_true(has_eight_bit(slice_from(bytes, sizeof(bytes))));
    }
}

static void only_well_formed_utf8_passes(void **state)
{
    static const char *const good[] = {"", "abc", "\xc3\xa8", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xc3(",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xf5\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(is_utf8(slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(is_utf8(slice_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_line_is_found_whatever_the_chunks),
        cmocka_unit_test(a_byte_above_127_is_found_at_every_place),
        cmocka_unit_test(only_well_formed_utf8_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
