#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/net/channel.h"
#include "relay/net/memory_file.h"

static int ends[2];
static struct channel_message message;

static int set_up(void **state)
{
    (void)state;
    return channel_pair(ends);
}

static int tear_down(void **state)
{
    (void)state;
    channel_message_fini(&message);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return 0;
}

static int n_open_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void a_message_arrives_with_its_descriptors(void **state)
{
    const int sent[] = {ends[0], ends[1]};
    struct stat mine, theirs;
    int taken;

    (void)state;
    assert_int_equal(channel_send(ends[0], CHANNEL_START, SLICE_LITERAL("text"), sent, 2), 0);
    assert_int_equal(channel_send(ends[0], CHANNEL_DRAIN, (struct slice){0}, NULL, 0), 0);
    assert_int_equal(channel_receive(ends[1], &message), 1);
    assert_int_equal(message.kind, CHANNEL_START);
    assert_slice_is(buffer_slice(&message.bytes), "text");
    assert_int_equal(message.n_fds, 2);
    assert_true(fcntl(message.fds[1], F_GETFD) & FD_CLOEXEC);
    taken = channel_take_fd(&message, 1);
    assert_int_equal(fstat(taken, &theirs) | fstat(ends[1], &mine), 0);
    assert_int_equal(theirs.st_ino, mine.st_ino);
    assert_int_equal(channel_take_fd(&message, 1), -1);
    assert_int_equal(channel_take_fd(&message, 2), -1);
    close(taken);
    assert_int_equal(channel_receive(ends[1], &message), 1);
    assert_int_equal(message.kind, CHANNEL_DRAIN);
    assert_int_equal(message.n_fds, 0);
}

static void as_many_descriptors_as_allowed_pass_and_no_more(void **state)
{
    static int fds[CHANNEL_MAX_FDS + 1];
    int n_before;

    (void)state;
    for (int i = 0; i <= CHANNEL_MAX_FDS; i++)
        fds[i] = ends[0];
    assert_int_equal(channel_send(ends[0], 64, (struct slice){0}, fds, CHANNEL_MAX_FDS + 1),
                     -EMSGSIZE);
    assert_int_equal(channel_send(ends[0], 64, (struct slice){0}, fds, CHANNEL_MAX_FDS), 0);
    n_before = n_open_fds();
    assert_int_equal(channel_receive(ends[1], &message), 1);
    assert_int_equal(message.n_fds, CHANNEL_MAX_FDS);
    channel_message_fini(&message);
    assert_int_equal(n_open_fds(), n_before);
}

static void large_messages_pass_up_to_the_bound(void **state)
{
    static char bytes[CHANNEL_MAX_BYTES + 1];

    (void)state;
    memset(bytes, 'b', sizeof(bytes));
    assert_int_equal(channel_send(ends[0], 1, slice_from(bytes, sizeof(bytes)), NULL, 0),
                     -EMSGSIZE);
    assert_int_equal(channel_send(ends[0], 1, slice_from(bytes, CHANNEL_MAX_BYTES), NULL, 0), 0);
    assert_int_equal(channel_receive(ends[1], &message), 1);
    assert_int_equal(message.bytes.len, CHANNEL_MAX_BYTES);
}

/* Whatever the other side sends by hand: refused whole, its descriptors closed. */
static void send_raw(const void *bytes, size_t len, int fd)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {(void *)(uintptr_t)bytes, len};
    struct msghdr raw = {.msg_iov = &piece, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *header = (struct cmsghdr *)(void *)control;

        raw.msg_control = control;
        raw.msg_controllen = sizeof(control);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    assert_int_equal(sendmsg(ends[0], &raw, 0), (ssize_t)len);
}

static void what_is_not_ours_is_refused_whole(void **state)
{
    static char huge[CHANNEL_MAX_BYTES + 100];
    static const uint32_t headers[][4] = {
        {0x53544131, 1, 0, 0}, /* says no descriptor, brings one */
        {0x53544131, 1, 0, 2}, /* says two */
        {0x53544131, 1, 7, 1}, /* says seven bytes, brings none */
        {0x53544131, 0, 0, 1}, /* no kind */
        {0xdeadbeef, 1, 0, 1}, /* another magic */
    };
    int n_before = n_open_fds();

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        send_raw(headers[i], sizeof(headers[i]), ends[0]);
        assert_int_equal(channel_receive(ends[1], &message), -EBADMSG);
    }
    send_raw("short", 5, ends[0]);
    assert_int_equal(channel_receive(ends[1], &message), -EBADMSG);
    send_raw(huge, sizeof(huge), -1);
    assert_int_equal(channel_receive(ends[1], &message), -EBADMSG);
    assert_int_equal(n_open_fds(), n_before);
    assert_int_equal(channel_send(ends[0], 5, SLICE_LITERAL("ok"), NULL, 0), 0);
    assert_int_equal(channel_receive(ends[1], &message), 1); /* and in step afterwards */
}

static void ends_and_full_channels_are_told(void **state)
{
    int result;

    (void)state;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    assert_int_equal(channel_receive(ends[0], &message), -EAGAIN);
    do
        result = channel_send(ends[0], 1, SLICE_LITERAL("x"), NULL, 0);
    while (result == 0);
    assert_int_equal(result, -EAGAIN);
    close(ends[1]);
    ends[1] = -1;
    assert_int_equal(channel_receive(ends[0], &message), 0);
    assert_int_equal(channel_send(ends[0], 1, SLICE_LITERAL("x"), NULL, 0), -EPIPE);
}

static void memory_files_are_sealed(void **state)
{
    struct buffer read_back = BUFFER_INIT;
    int fd, unsealed = memfd_create("unsealed", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(memory_file_new(&fd, "settings", SLICE_LITERAL("hostname = \"x\"\n")), 0);
    assert_int_equal(write(fd, "y", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(memory_file_read(fd, 100, &read_back), 0);
    assert_slice_is(buffer_slice(&read_back), "hostname = \"x\"\n");
    assert_int_equal(memory_file_read(fd, 3, &read_back), -EFBIG);
    assert_int_equal(memory_file_read(unsealed, 100, &read_back), -EBADMSG);
    assert_int_equal(memory_file_read(ends[0], 100, &read_back), -EBADMSG);
    buffer_fini(&read_back);
    close(fd);
    close(unsealed);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_arrives_with_its_descriptors),
        TEST(as_many_descriptors_as_allowed_pass_and_no_more),
        TEST(large_messages_pass_up_to_the_bound),
        TEST(what_is_not_ours_is_refused_whole),
        TEST(ends_and_full_channels_are_told),
        TEST(memory_files_are_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
