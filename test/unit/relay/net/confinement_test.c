#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/net/confinement.h"

static char top[] = "/tmp/confinement-XXXXXX";
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
static int in_confinement(int (*look)(void))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct confinement confinement = {
            .writable = {granted, "/not/there"},
              .readable = {readable      }
        };
        int error = confinement_enter(&confinement);

        _exit(error == CONFINEMENT_MISSING ? 77 : error ? 1 : look());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip(); /* a kernel without Landlock */
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
    return read_file("/etc", "passwd") < 0 ? 5 : 0;
}

static void only_what_is_granted_can_be_opened(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(look_at_files), 0);
}

static int trace_the_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == -1 && errno == EPERM ? 0 : 6;
}

/* A relay that was taken over must not read keys out of the signer's memory. */
static void nobody_outside_can_be_traced(void **state)
{
    (void)state;
    assert_int_equal(in_confinement(trace_the_parent), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_granted_can_be_opened),
        cmocka_unit_test(nobody_outside_can_be_traced),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
