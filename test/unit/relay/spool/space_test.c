#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/spool/space.h"

static struct statvfs disk;
static int error_of_disk;

static int look_at_disk(int fd, struct statvfs *out)
{
    (void)fd;
    *out = disk;
    return error_of_disk;
}

static struct io io;
static struct space space;
static char dir[64];
static int64_t now_ms;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/space-test.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    io = io_system;
    io.space = look_at_disk;
    error_of_disk = 0;
    disk = (struct statvfs){
        .f_frsize = 1000, .f_blocks = 10000, .f_bavail = 5000, .f_files = 1000, .f_favail = 500};
    now_ms = 0;
    space_init(&space, &io, open(dir, O_RDONLY | O_DIRECTORY), 1000000, 5, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlinkat(space.dir_fd, "reserve", 0);
    close(space.dir_fd);
    return rmdir(dir);
}

static bool is_full_a_second_later(void)
{
    now_ms += 1000;
    space_check(&space, now_ms);
    return atomic_load(&space.is_full);
}

static void free_bytes_below_the_mark_refuse_mail_until_they_are_back(void **state)
{
    (void)state;
    assert_false(is_full_a_second_later());
    disk.f_bavail = 999;
    assert_true(is_full_a_second_later());
    disk.f_bavail = 1000;
    assert_false(is_full_a_second_later());
}

static void free_inodes_below_the_mark_refuse_mail(void **state)
{
    (void)state;
    disk.f_favail = 49;
    assert_true(is_full_a_second_later());
    disk.f_files = disk.f_favail = 0; /* a file system that counts none */
    assert_false(is_full_a_second_later());
}

static void the_edge_is_watched_closely_and_left_once_a_second(void **state)
{
    unsigned long room;

    (void)state;
    assert_false(is_full_a_second_later());
    room = disk.f_bavail;
    disk.f_bavail = 0;
    space_check(&space, now_ms + 19);
    assert_false(atomic_load(&space.is_full));
    space_check(&space, now_ms + 20);
    assert_true(atomic_load(&space.is_full));
    disk.f_bavail = room;
    space_check(&space, now_ms + 1019);
    assert_true(atomic_load(&space.is_full));
    space_check(&space, now_ms + 1020);
    assert_false(atomic_load(&space.is_full));
}

static void a_write_that_found_no_room_counts_until_the_next_look(void **state)
{
    (void)state;
    assert_false(is_full_a_second_later());
    space_note_full(&space);
    assert_true(atomic_load(&space.is_full));
    space_check(&space, now_ms);
    assert_false(atomic_load(&space.is_full));
}

static void not_knowing_is_no_reason_to_refuse(void **state)
{
    (void)state;
    error_of_disk = -EIO;
    assert_false(is_full_a_second_later());
}

static void the_reserve_is_given_once_and_made_again_when_there_is_room(void **state)
{
    (void)state;
    assert_false(is_full_a_second_later());
    assert_int_equal(faccessat(space.dir_fd, "reserve", F_OK, 0), 0);
    assert_true(space_use_reserve(&space));
    assert_int_equal(faccessat(space.dir_fd, "reserve", F_OK, 0), -1);
    assert_false(space_use_reserve(&space));
    disk.f_bavail = 0;
    assert_true(is_full_a_second_later());
    assert_false(space_use_reserve(&space));
    disk.f_bavail = 5000;
    assert_false(is_full_a_second_later());
    assert_true(space_use_reserve(&space));
}

int main(void)
{
#define SPACE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SPACE_TEST(free_bytes_below_the_mark_refuse_mail_until_they_are_back),
        SPACE_TEST(free_inodes_below_the_mark_refuse_mail),
        SPACE_TEST(the_edge_is_watched_closely_and_left_once_a_second),
        SPACE_TEST(a_write_that_found_no_room_counts_until_the_next_look),
        SPACE_TEST(not_knowing_is_no_reason_to_refuse),
        SPACE_TEST(the_reserve_is_given_once_and_made_again_when_there_is_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
