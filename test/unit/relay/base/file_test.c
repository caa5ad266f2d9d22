#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "relay/base/file.h"

static void what_is_written_is_read_again(void **state)
{
    CLEANUP(close_fd) int fd = memfd_create("file", MFD_CLOEXEC);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(file_write_all(fd, SLICE_LITERAL("a\0b")), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    buffer_append_text(&text, "before ");
    assert_int_equal(file_read_all(fd, 3, &text), 0);
    assert_int_equal(text.len, 10);
    assert_memory_equal(text.data, "before a\0b", 10);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_read_all(fd, 2, &text), -EFBIG);
}

static void an_error_is_told(void **state)
{
    CLEANUP(close_fd) int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(close_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(file_read_all(folder, 10, &text), -EISDIR);
    assert_int_equal(file_write_all(full, SLICE_LITERAL("x")), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(an_error_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
