#include "test/support/test_support.h"

#include <errno.h>

#include "webui/inflate.h"
#include "webui/unpacked.h"

/* printf 'staffetta staffetta staffetta' | gzip -9n */
static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                       0x03, 0x2b, 0x2e, 0x49, 0x4c, 0x4b, 0x4b, 0x2d, 0x29,
                                       0x49, 0x54, 0x28, 0xc6, 0x64, 0x01, 0x00, 0xeb, 0x62,
                                       0x59, 0x8b, 0x1d, 0x00, 0x00, 0x00};

static void a_file_is_as_it_was_before(void **state)
{
    struct asset asset = {.gz = packed, .len = sizeof(packed)};
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(inflate_asset(&asset, &text), 0);
    assert_slice_is(buffer_slice(&text), "staffetta staffetta staffetta");
}

static void what_is_cut_or_broken_is_no_file(void **state)
{
    unsigned char broken[sizeof(packed)];

    (void)state;
    for (size_t len = 0; len < sizeof(packed); len++) {
        struct asset asset = {.gz = packed, .len = len};
        CLEANUP(buffer) struct buffer text = BUFFER_INIT;

        assert_int_equal(inflate_asset(&asset, &text), -EINVAL);
    }
    memcpy(broken, packed, sizeof(packed));
    broken[sizeof(packed) - 6] ^= 1; /* of the checksum */
    {
        struct asset asset = {.gz = broken, .len = sizeof(broken)};
        CLEANUP(buffer) struct buffer text = BUFFER_INIT;

        assert_int_equal(inflate_asset(&asset, &text), -EINVAL);
    }
}

static void each_file_is_inflated_once(void **state)
{
    struct asset one = {.gz = packed, .len = sizeof(packed)}, other = one,
                 broken = {.gz = packed, .len = 9};
    struct unpacked_files files;
    struct slice first;

    (void)state;
    unpacked_init(&files);
    first = unpacked_find(&files, &one);
    assert_slice_is(first, "staffetta staffetta staffetta");
    assert_slice_is(unpacked_find(&files, &other), "staffetta staffetta staffetta");
    assert_null(unpacked_find(&files, &broken).data);
    assert_ptr_equal(unpacked_find(&files, &one).data, first.data);
    assert_int_equal(files.n_files, 2);
    unpacked_fini(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_as_it_was_before),
        cmocka_unit_test(each_file_is_inflated_once),
        cmocka_unit_test(what_is_cut_or_broken_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
