#include "test/support/test_support.h"

#include <errno.h>

#include "relay/spool/record.h"

static const struct record sample = {
    .id = 0x123456789abcdef,
    .place = 0x70000000040,
    .generation = 9,
    .flags = 0,
    .envelope_bytes = 101,
    .envelope_crc = 0xdeadbeef,
    .header_bytes = 200,
    .body_bytes = 3000,
    .crc = 0xcafebabe,
    .n_recipients = 3,
};

static void a_header_comes_back(void **state)
{
    uint8_t bytes[RECORD_HEADER_BYTES];
    struct record out;

    (void)state;
    record_encode(&sample, bytes);
    assert_int_equal(record_decode(&out, bytes), 0);
    assert_memory_equal(&out, &sample, sizeof(out));
}

static void any_flipped_bit_is_noticed(void **state)
{
    uint8_t bytes[RECORD_HEADER_BYTES];
    struct record out;

    (void)state;
    record_encode(&sample, bytes);
    for (unsigned bit = 0; bit < RECORD_HEADER_BYTES * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(record_decode(&out, bytes), -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void lengths_add_up_without_wrapping(void **state)
{
    struct record large = sample, longest = sample;

    (void)state;
    assert_int_equal(record_marks_offset(&sample), 64 + 101 + 3200);
    assert_int_equal(record_bytes(&sample), 3368); /* 3365 and 3 marks, to a multiple of 8 */
    large.flags = RECORD_LARGE;
    assert_int_equal(record_bytes(&large), 168);
    longest.header_bytes = longest.body_bytes = longest.envelope_bytes = UINT32_MAX;
    longest.n_recipients = UINT32_MAX;
    assert_true(record_bytes(&longest) > 4 * (uint64_t)UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(lengths_add_up_without_wrapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
