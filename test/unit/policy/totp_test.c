/* RFC 6238, appendix B, and RFC 4648, section 10. */
#include "test/support/test_support.h"

#include "policy/totp.h"

static const struct slice secret = SLICE_LITERAL("12345678901234567890");

/* The RFC's codes have eight digits: ours are their last six. */
static void the_codes_of_the_rfc(void **state)
{
    static const struct {
        int64_t utc_s;
        uint32_t code;
    } rows[] = {
        {59,          287082},
        {1111111109,  81804 },
        {1111111111,  50471 },
        {1234567890,  5924  },
        {2000000000,  279037},
        {20000000000, 353130},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(totp_code(secret, rows[i].utc_s / TOTP_STEP_S), rows[i].code);
}

static bool is_good(const char *code, int64_t utc_s, int64_t after_step, int64_t *step)
{
    return totp_check(secret, slice_of(code), utc_s * 1000, after_step, step);
}

static void a_clock_may_be_one_step_wrong(void **state)
{
    int64_t step = 0;

    (void)state;
    assert_true(is_good("287082", 59, 0, &step));
    assert_int_equal(step, 1);
    assert_true(is_good("287082", 89, 0, &step));
    assert_true(is_good("287082", 29, 0, &step));
    assert_int_equal(step, 1);
    assert_false(is_good("287082", 90, 0, &step));
    assert_true(is_good("005924", 1234567890, 0, &step));
}

static void no_code_is_good_twice(void **state)
{
    int64_t step;

    (void)state;
    assert_false(is_good("287082", 59, 1, &step));
    assert_false(is_good("287082", 59, 2, &step));
}

static void what_is_no_code_is_none(void **state)
{
    static const char *const texts[] = {"",        "28708",   "2870820", "28708a", "+87082",
                                        " 287082", "287082 ", "-87082",  "5924"};
    int64_t step;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(is_good(texts[i], 59, 0, &step));
    assert_false(totp_check(SLICE_LITERAL("short"), SLICE_LITERAL("287082"), 59000, 0, &step));
    assert_false(totp_check(SLICE_LITERAL(""), SLICE_LITERAL("287082"), 59000, 0, &step));
}

static void base32_is_what_programs_take(void **state)
{
    char out[TOTP_BASE32_SIZE];

    (void)state;
    totp_base32((const uint8_t *)secret.data, out);
    assert_string_equal(out, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codes_of_the_rfc),
        cmocka_unit_test(a_clock_may_be_one_step_wrong),
        cmocka_unit_test(no_code_is_good_twice),
        cmocka_unit_test(what_is_no_code_is_none),
        cmocka_unit_test(base32_is_what_programs_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
