#include "relay/net/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of Debian 12; the kernel says which it knows. */
#define ACCESS_REFER    (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)

enum { ABI_OF_REFER = 2, ABI_OF_TRUNCATE = 3 };

static const uint64_t access_first_abi = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
static const uint64_t access_of_reader = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t access_of_file =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;

const char *const confinement_system[] = {
    "/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev", "/run/systemd/resolve", NULL};

/* The access that this kernel can withhold; 0: none. */
static uint64_t known_access(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (abi < 1)
        return 0;
    return access_first_abi | (abi >= ABI_OF_REFER ? ACCESS_REFER : 0) |
           (abi >= ABI_OF_TRUNCATE ? ACCESS_TRUNCATE : 0);
}

static int grant(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    CLEANUP(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat status;

    if (fd < 0)
        return errno == ENOENT || errno == EACCES ? 0 : FAULT(-errno);
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed_access &= access_of_file;
    rule.parent_fd = fd;
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
               ? FAULT(-errno)
               : 0;
}

static int grant_all(int ruleset, const char *const paths[], uint64_t access)
{
    int error = 0;

    for (size_t i = 0; error == 0 && paths[i]; i++)
        error = *paths[i] ? grant(ruleset, paths[i], access) : 0;
    return error;
}

int confinement_enter(const struct confinement *confinement)
{
    struct landlock_ruleset_attr attributes = {.handled_access_fs = known_access()};
    CLEANUP(close_fd) int ruleset = -1;
    int error;

    if (!attributes.handled_access_fs)
        return CONFINEMENT_MISSING;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (ruleset < 0)
        return FAULT(-errno);
    error = grant_all(ruleset, confinement_system, access_of_reader);
    if (error == 0)
        error = grant_all(ruleset, confinement->readable, access_of_reader);
    if (error == 0)
        error = grant_all(ruleset, confinement->writable, attributes.handled_access_fs);
    if (error == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                       syscall(SYS_landlock_restrict_self, ruleset, 0) < 0))
        error = FAULT(-errno);
    return error;
}
