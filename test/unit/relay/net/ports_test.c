#include "test/support/test_support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/net/notify.h"
#include "relay/net/ports.h"
#include "relay/net/privileges.h"

static char folder[] = "/tmp/staffetta-ports-XXXXXX";
static char path[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/control.sock", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void port_zero_gets_a_real_port_and_no_two_listen_on_one(void **state)
{
    struct socket_address asked, actual, again;
    int fd, other;

    (void)state;
    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.1:0"), -1, &asked));
    assert_int_equal(port_listen_tcp(&fd, &asked, &actual), 0);
    assert_int_not_equal(socket_address_port(&actual), 0);
    assert_int_equal(port_listen_tcp(&other, &actual, &again), -EADDRINUSE);
    close(fd);
    assert_int_equal(port_listen_tcp(&fd, &actual, &again), 0); /* free at once */
    assert_true(socket_address_equal(&actual, &again));
    close(fd);
}

static void a_v6_socket_is_v6_only(void **state)
{
    struct socket_address asked, actual;
    int fd, is_v6_only = 0;
    socklen_t len = sizeof(is_v6_only);

    (void)state;
    assert_true(socket_address_parse(SLICE_LITERAL("[::]:0"), -1, &asked));
    if (port_listen_tcp(&fd, &asked, &actual) < 0)
        skip(); /* no IPv6 on this machine */
    assert_int_equal(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, &len), 0);
    assert_int_equal(is_v6_only, 1);
    close(fd);
}

static void a_stale_socket_is_replaced_a_served_one_is_not(void **state)
{
    struct stat status;
    int fd, other;

    (void)state;
    assert_int_equal(port_listen_unix(&fd, path), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    assert_int_equal(port_listen_unix(&other, path), -EADDRINUSE);
    close(fd); /* as after a crash: the file stays */
    assert_int_equal(port_listen_unix(&fd, path), 0);
    close(fd);
}

static void what_is_no_socket_is_never_removed(void **state)
{
    char too_long[200];
    FILE *file = fopen(path, "we");
    int fd;

    (void)state;
    assert_non_null(file);
    fclose(file);
    assert_int_equal(port_listen_unix(&fd, path), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(port_listen_unix(&fd, too_long), -ENAMETOOLONG);
}

static void the_file_limit_goes_up_as_far_as_it_may(void **state)
{
    struct rlimit limit;
    unsigned long reached;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(privileges_raise_file_limit(80), 100);
    reached = privileges_raise_file_limit(200);
    assert_int_equal(reached, 200);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 200);
}

/* In a process of its own, which reports by its exit status. */
static int in_child(int (*run)(void))
{
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        _exit(run());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int become_nobody(void)
{
    enum privileges_result result;
    int death_signal = 0;

    if (privileges_die_with(getppid()) < 0 || privileges_become("nobody", &result) < 0)
        return 1;
    prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
    if (death_signal != SIGKILL) /* survives the change of user */
        return 2;
    if (result == PRIVILEGES_DROPPED)
        return geteuid() != 0 && getegid() != 0 && setuid(0) < 0 && getgroups(0, NULL) <= 1 ? 0 : 3;
    return result == PRIVILEGES_NOT_ROOT ? 0 : 4;
}

static int become_somebody_unknown(void)
{
    enum privileges_result result;
    uid_t before = geteuid();

    if (privileges_become("no-such-user-here", &result) < 0)
        return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 2;
    return result == PRIVILEGES_NO_SUCH_USER && geteuid() == before ? 0 : 3;
}

static void a_user_is_dropped_to_for_good(void **state)
{
    (void)state;
    assert_int_equal(in_child(become_nobody), 0);
    assert_int_equal(in_child(become_somebody_unknown), 0);
}

static void systemd_is_told(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[128] = "";

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1"); /* to nobody, silently */
    setenv("NOTIFY_SOCKET", path, 1);
    notify_send("READY=1");
    assert_int_equal(recv(fd, text, sizeof(text), 0), 7);
    assert_string_equal(text, "READY=1");
    notify_reloading();
    assert_true(recv(fd, text, sizeof(text) - 1, 0) > 30);
    assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

static void the_watchdog_is_fed_twice_as_often_as_needed(void **state)
{
    (void)state;
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_ms(), 15000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ms(), 0); /* meant for another process */
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(port_zero_gets_a_real_port_and_no_two_listen_on_one),
        TEST(a_v6_socket_is_v6_only),
        TEST(a_stale_socket_is_replaced_a_served_one_is_not),
        TEST(what_is_no_socket_is_never_removed),
        TEST(the_file_limit_goes_up_as_far_as_it_may),
        TEST(a_user_is_dropped_to_for_good),
        TEST(systemd_is_told),
        TEST(the_watchdog_is_fed_twice_as_often_as_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
