#include "test/support/test_support.h"

#include "relay/base/buffer.h"

static void appends_beyond_the_bound_are_remembered_and_change_nothing(void **state)
{
    CLEANUP(buffer) struct buffer buffer = {.limit = 4};

    (void)state;
    buffer_append_text(&buffer, "abc");
    assert_int_equal(buffer_error(&buffer), 0);
    buffer_append_text(&buffer, "de");
    assert_true(buffer_error(&buffer) < 0);
    buffer_append_text(&buffer, "d");
    assert_slice_is(buffer_slice(&buffer), "abc");
    buffer_clear(&buffer);
    assert_int_equal(buffer_error(&buffer), 0);
}

static void long_formats_are_whole(void **state)
{
    CLEANUP(buffer) struct buffer buffer = BUFFER_INIT;

    (void)state;
    buffer_printf(&buffer, "%2000d|", 7);
    assert_int_equal(buffer.len, 2001);
    assert_int_equal(buffer.data[1999], '7');
}

static void what_was_written_is_read_back(void **state)
{
    CLEANUP(buffer) struct buffer buffer = BUFFER_INIT;
    struct reader reader;

    (void)state;
    buffer_append_u8(&buffer, 0xfe);
    buffer_append_u16(&buffer, 0xfedc);
    buffer_append_u32(&buffer, 0xfedcba98);
    buffer_append_u64(&buffer, 0xfedcba9876543210);
    buffer_append_counted(&buffer, SLICE_LITERAL("a\0b"));
    reader = (struct reader){.rest = buffer_slice(&buffer)};
    assert_int_equal(reader_u8(&reader), 0xfe);
    assert_int_equal(reader_u16(&reader), 0xfedc);
    assert_int_equal(reader_u32(&reader), 0xfedcba98);
    assert_true(reader_u64(&reader) == 0xfedcba9876543210);
    assert_int_equal(reader_counted(&reader).len, 3);
    assert_false(reader.failed);
    assert_int_equal(reader.rest.len, 0);
}

static void a_record_cut_anywhere_fails_and_stays_within_its_bytes(void **state)
{
    CLEANUP(buffer) struct buffer buffer = BUFFER_INIT;

    (void)state;
    buffer_append_u32(&buffer, 7);
    buffer_append_counted(&buffer, SLICE_LITERAL("twelve bytes"));
    for (size_t cut = 0; cut < buffer.len; cut++) {
        struct reader reader = {.rest = slice_head(buffer_slice(&buffer), cut)};

        reader_u32(&reader);
        assert_int_equal(reader_counted(&reader).len, 0);
        assert_true(reader.failed);
    }
}

static void a_length_beyond_the_end_is_no_slice(void **state)
{
    struct reader reader = {.rest = SLICE_LITERAL("\xff\xff\xff\xff rest")};

    (void)state;
    assert_int_equal(reader_counted(&reader).len, 0);
    assert_true(reader.failed);
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
    CLEANUP(buffer) struct buffer buffer = BUFFER_INIT;

    (void)state;
    buffer_append_text(&buffer, "abcdef");
    buffer_consume(&buffer, 2);
    assert_slice_is(buffer_slice(&buffer), "cdef");
    buffer_consume(&buffer, 99);
    assert_int_equal(buffer.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_beyond_the_bound_are_remembered_and_change_nothing),
        cmocka_unit_test(long_formats_are_whole),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_record_cut_anywhere_fails_and_stays_within_its_bytes),
        cmocka_unit_test(a_length_beyond_the_end_is_no_slice),
        cmocka_unit_test(consuming_moves_the_rest_to_the_front),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
