#include "test/support/test_support.h"

#include "relay/smtp/enhanced_status.h"

static void well_formed_codes_are_read_and_stepped_over(void **state)
{
    static const struct {
        const char *text, *rest;
        struct enhanced_status status;
    } rows[] = {
        {"5.1.1 No such user",   "No such user", {5, 1, 1}    },
        {"2.0.0",                "",             {2, 0, 0}    },
        {"4.7.650  \tslow down", "slow down",    {4, 7, 650}  },
        {"5.123.999\nnext",      "\nnext",       {5, 123, 999}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = slice_of(rows[i].text);
        struct enhanced_status status = {0};

        assert_true(enhanced_status_read(&text, &status));
        assert_true(enhanced_status_equal(status, rows[i].status));
        assert_slice_is(text, rows[i].rest);
    }
}

static void what_only_looks_like_a_code_is_left_alone(void **state)
{
    static const char *const rows[] = {"",        "5",          "5.",        "5.1",   "5.1.",
                                       "3.1.1 x", "1.0.0",      "5.1.1.2 x", "5..1",  "5.1.x",
                                       "5.1.1x",  "5.1234.1 x", "55.1.1",    ".1.1",  "5 1.1",
                                       "x5.1.1",  "5.1.1-x",    "5.1.1234",  "0.0.0", "9.1.1 x"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice text = slice_of(rows[i]);
        struct enhanced_status status = {2, 9, 9};

        assert_false(enhanced_status_read(&text, &status));
        assert_slice_is(text, rows[i]);
        assert_int_equal(status.detail, 9);
    }
}

static void printing_is_the_inverse_and_none_prints_nothing(void **state)
{
    CLEANUP(buffer) struct buffer out = BUFFER_INIT;

    (void)state;
    enhanced_status_print(&out, (struct enhanced_status){0});
    assert_slice_is(buffer_slice(&out), "");
    enhanced_status_print(&out, (struct enhanced_status){5, 7, 515});
    assert_slice_is(buffer_slice(&out), "5.7.515");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_codes_are_read_and_stepped_over),
        cmocka_unit_test(what_only_looks_like_a_code_is_left_alone),
        cmocka_unit_test(printing_is_the_inverse_and_none_prints_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
