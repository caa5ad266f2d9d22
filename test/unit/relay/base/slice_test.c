#include "test/support/test_support.h"

#include <stdlib.h>
#include <time.h>

#include "relay/base/clock.h"
#include "relay/base/slice.h"

static void numbers_are_digits_alone_and_within_their_bound(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool is_good;
    } rows[] = {
        {"0",                       10,         true },
        {"10",                      10,         true },
        {"11",                      10,         false},
        {"",                        10,         false},
        {"-1",                      10,         false},
        {"+1",                      10,         false},
        {" 1",                      10,         false},
        {"1 ",                      10,         false},
        {"0x1",                     10,         false},
        {"18446744073709551615",    UINT64_MAX, true },
        {"18446744073709551616",    UINT64_MAX, false},
        {"99999999999999999999999", UINT64_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number = 77;

        assert_int_equal(slice_to_number(slice_of(rows[i].text), rows[i].max, &number),
                         rows[i].is_good);
        if (!rows[i].is_good)
            assert_int_equal(number, 77);
    }
}

static void letter_case_is_ascii_alone(void **state)
{
    (void)state;
    assert_true(slice_equal_ignoring_case(SLICE_LITERAL("EHLO"), SLICE_LITERAL("ehLo")));
    assert_false(slice_equal_ignoring_case(SLICE_LITERAL("\xc3\x80"), SLICE_LITERAL("\xc3\xa0")));
    assert_true(
        slice_ends_with_ignoring_case(SLICE_LITERAL("mx.EXAMPLE"), SLICE_LITERAL(".example")));
    assert_false(slice_ends_with_ignoring_case(SLICE_LITERAL("e"), SLICE_LITERAL(".example")));
}

static void searching_stays_within_the_bytes(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE_LITERAL("a@b@c"), '@'), 1);
    assert_int_equal(slice_find_last(SLICE_LITERAL("a@b@c"), '@'), 3);
    assert_int_equal(slice_find((struct slice){0}, '@'), -1);
    assert_int_equal(slice_search(SLICE_LITERAL("a\r\n\r\nb"), SLICE_LITERAL("\r\n\r\n")), 1);
    assert_int_equal(slice_search(slice_head(SLICE_LITERAL("abc"), 2), SLICE_LITERAL("c")), -1);
    assert_slice_is(slice_trim(SLICE_LITERAL(" \t a b\r\n")), "a b");
}

static void dates_are_those_of_rfc_5322(void **state)
{
    char date[CLOCK_DATE_SIZE];

    (void)state;
    setenv("TZ", "Europe/Rome", 1);
    tzset();
    clock_format_date(1795368303120, date);
    assert_string_equal(date, "Sun, 22 Nov 2026 18:25:03 +0100");
    setenv("TZ", "America/St_Johns", 1);
    tzset();
    clock_format_date(1795368303120, date);
    assert_string_equal(date, "Sun, 22 Nov 2026 13:55:03 -0330");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_alone_and_within_their_bound),
        cmocka_unit_test(letter_case_is_ascii_alone),
        cmocka_unit_test(searching_stays_within_the_bytes),
        cmocka_unit_test(dates_are_those_of_rfc_5322),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
