#include "test/support/test_support.h"

#include "relay/base/crc32c.h"

/* RFC 3720, B.4, and the check value of the catalogue of parametrised CRCs. */
static void known_values(void **state)
{
    char zeros[32] = {0}, ones[32], rising[32];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    for (size_t i = 0; i < sizeof(rising); i++)
        rising[i] = (char)i;
    assert_int_equal(crc32c(0, SLICE_LITERAL("")), 0);
    assert_int_equal(crc32c(0, SLICE_LITERAL("123456789")), 0xe3069283);
    assert_int_equal(crc32c(0, slice_from(zeros, 32)), 0x8a9136aa);
    assert_int_equal(crc32c(0, slice_from(ones, 32)), 0x62a8ab43);
    assert_int_equal(crc32c(0, slice_from(rising, 32)), 0x46dd794e);
}

static void pieces_add_up_to_the_whole(void **state)
{
    struct slice whole = SLICE_LITERAL("bytes, sync, rows, commit, then 250");

    (void)state;
    for (size_t cut = 0; cut <= whole.len; cut++)
        assert_int_equal(crc32c(crc32c(0, slice_head(whole, cut)), slice_skip(whole, cut)),
                         crc32c(0, whole));
}

/* By the definition, a bit at a time. */
static uint32_t by_the_book(struct slice bytes)
{
    uint32_t crc = ~0U;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0);
    }
    return ~crc;
}

/* Some are summed in three stretches side by side. */
static void every_length_is_summed_alike(void **state)
{
    static char bytes[3 * 1536 + 40];
    uint32_t dice = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)((dice = dice * 1664525 + 1013904223) >> 24);
    for (size_t len = 0; len <= sizeof(bytes); len += len % 1536 < 20 || len % 1536 > 1500 ? 1 : 97)
        assert_int_equal(crc32c(0, slice_from(bytes, len)), by_the_book(slice_from(bytes, len)));
    for (size_t cut = 1; cut < sizeof(bytes); cut += 211)
        assert_int_equal(
            crc32c(crc32c(0, slice_from(bytes, cut)), slice_from(bytes + cut, sizeof(bytes) - cut)),
            by_the_book(slice_from(bytes, sizeof(bytes))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_add_up_to_the_whole),
        cmocka_unit_test(every_length_is_summed_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
