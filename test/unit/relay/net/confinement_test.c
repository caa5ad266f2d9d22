#include "test/support/test_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/net/confinement.h"

static char top[] = "/tmp/confinement-XXXXXX";
enum { NOT_HERE = 77, VERSION_OF_PORTS = 4, VERSION_OF_SIGNALS = 6 };

static uint16_t open_port; /* of a listener */
static char granted[64], withheld[64], readable[64];

static int make_file(const char *folder, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int read_file(const char *folder, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int make_folders(void **state)
{
    static const struct {
        char *path;
        const char *name;
    } rows[] = {
        {granted,  "granted" },
        {withheld, "withheld"},
        {readable, "readable"}
    };

    (void)state;
    if (!mkdtemp(top))
        return -1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(rows[i].path, sizeof(granted), "%s/%s", top, rows[i].name);
        if (mkdir(rows[i].path, 0700) < 0 || make_file(rows[i].path, "old") < 0)
            return -1;
    }
    return 0;
}

static int remove_folders(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command); /* NOLINT(cert-env33-c): our own folder */
}

/* In a child, since there is no way back; returns its exit status. */
static int in_confinement(int needs_version, int (*look)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct confinement confinement = {
            .writable = {granted, "/not/there"},
            .readable = {readable      },
            .system = confinement_system(),
            .has_network = true,
            .is_restricted = true,
            .connect_ports = &open_port,
            .n_connect_ports = 1,
        };
        struct confinement_got got;
        int error = confinement_enter(&confinement, &got);

        _exit(error ? 1 : needs_version > got.version ? NOT_HERE : look());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_HERE)
        skip(); /* this kernel's Landlock is older, or there is none */
    return WEXITSTATUS(status);
}

static int look_at_files(void)
{
    if (make_file(granted, "new") < 0 || read_file(granted, "old") < 0)
        return 2;
    if (read_file(readable, "old") < 0 || make_file(readable, "old") != -EACCES)
        return 3;
    if (read_file(withheld, "old") != -EACCES || make_file(withheld, "new") != -EACCES ||
        read_file(top, "withheld") != -EACCES)
        return 4;
    if (read_file("/etc", "hosts") < 0 ||
        (geteuid() == 0 && read_file("/etc", "shadow") != -EACCES))
        return 5;
    return 0;
}

static void only_what_is_granted_can_be_opened(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(1, look_at_files), 0);
}

static int trace_the_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == -1 && errno == EPERM ? 0 : 6;
}

/* A relay that was taken over must not read keys out of the signer's memory. */
static void nobody_outside_can_be_traced(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(1, trace_the_parent), 0);
}

/* Nobody may make a program of what he wrote, nor run one that is there. */
static int run_a_program(void)
{
    char *const words[] = {(char[]){"true"}, NULL};

    execve("/bin/true", words, words);
    return errno == EACCES ? 0 : 7;
}

static void no_program_is_run(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(1, run_a_program), 0);
}

static int with_port(int (*act)(int, const struct sockaddr *, socklen_t), uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = act(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;

    close(fd);
    return result;
}

static int use_ports(void)
{
    if (with_port(bind, 0) != 0 || with_port(bind, 28025) != -EACCES)
        return 8;
    if (with_port(connect, open_port) != 0)
        return 9;
    return with_port(connect, open_port == 1 ? 2 : 1) == -EACCES ? 0 : 10;
}

static void only_granted_ports_are_used(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    open_port = ntohs(address.sin_port);
    assert_int_equal(in_confinement(VERSION_OF_PORTS, use_ports), 0);
    close(fd);
}

static int signal_the_parent(void)
{
    return kill(getppid(), 0) < 0 && errno == EPERM ? 0 : 11;
}

static void nobody_outside_gets_a_signal(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(VERSION_OF_SIGNALS, signal_the_parent), 0);
}

/* Each version that there ever was, as far as this kernel goes. */
static void an_older_kernel_gives_what_it_has(void **state)
{
    (void)state;
    for (int version = 1; version <= VERSION_OF_SIGNALS; version++) {
        confinement_newest_version = version;
        assert_int_equal(in_confinement(version, look_at_files), 0);
    }
    confinement_newest_version = INT_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_granted_can_be_opened),
        cmocka_unit_test(nobody_outside_can_be_traced),
        cmocka_unit_test(no_program_is_run),
        cmocka_unit_test(only_granted_ports_are_used),
        cmocka_unit_test(nobody_outside_gets_a_signal),
        cmocka_unit_test(an_older_kernel_gives_what_it_has),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
