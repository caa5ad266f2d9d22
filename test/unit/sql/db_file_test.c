/* Whole pages where SQLite would write an octet, and nothing of what is there is touched. */
#include "test/support/test_support.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/db.h"
#include "sql/db_file.h"
#include "sql/queue_schema.h"

enum { PAGE = 4096 };

static int new_file(const char *content, size_t length)
{
    char path[] = "/tmp/db-file-test.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(pwrite(fd, content, length, 0), length);
    return fd;
}

static void what_is_there_stays_and_the_rest_of_the_page_is_zeros(void **state)
{
    static const size_t lengths[] = {0, 3, 4000, PAGE - 1, PAGE, PAGE + 3};
    char content[2 * PAGE], seen[2 * PAGE];

    (void)state;
    memset(content, 'x', sizeof(content));
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        int fd = new_file(content, lengths[i]);

        assert_int_equal(db_write_page(fd, "", 1, 2 * PAGE - 1), 1);
        assert_int_equal(pread(fd, seen, sizeof(seen), 0), 2 * PAGE);
        for (size_t k = 0; k < sizeof(seen); k++)
            assert_int_equal(seen[k], k < lengths[i] ? 'x' : 0);
        close(fd);
    }
}

/* Holes as small as a page can be seen where blocks are. */
static void the_pages_before_stay_holes(void **state)
{
    int fd = new_file("x", 1);

    (void)state;
    assert_int_equal(db_write_page(fd, "y", 1, 1000 * PAGE - 1), 1);
    assert_in_range(lseek(fd, PAGE, SEEK_DATA), 2 * PAGE, 999 * PAGE);
    close(fd);
}

static void all_else_is_written_as_it_is(void **state)
{
    char seen[PAGE];
    int fd = new_file("", 0);

    (void)state;
    assert_int_equal(db_write_page(fd, "abc", 3, 7), 3);
    assert_int_equal(db_write_page(fd, "d", 1, 2), 1);
    assert_int_equal(pread(fd, seen, sizeof(seen), 0), 10);
    assert_memory_equal(seen, "\0\0d\0\0\0\0abc", 10);
    assert_int_equal(db_write_page(-1, "", 1, PAGE - 1), -1);
    close(fd);
}

static void sqlite_writes_through_us(void **state)
{
    char path[] = "/tmp/db-file-test.XXXXXX";
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    struct db *db;

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    assert_int_equal(db_open(&db, "file.db", &queue_schema, DB_WRITE, NULL), 0);
    assert_true(vfs->xGetSystemCall(vfs, "pwrite64") == (sqlite3_syscall_ptr)db_write_page);
    db_close(db);
    assert_int_equal(unlink("file.db"), 0);
    (void)unlink("file.db-wal");
    (void)unlink("file.db-shm");
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_stays_and_the_rest_of_the_page_is_zeros),
        cmocka_unit_test(the_pages_before_stay_holes),
        cmocka_unit_test(all_else_is_written_as_it_is),
        cmocka_unit_test(sqlite_writes_through_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
