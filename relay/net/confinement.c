#include "relay/net/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of Debian 12; the kernel says which it knows. */
#define ACCESS_REFER     (1ULL << 13)
#define ACCESS_TRUNCATE  (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define BIND_TCP         (1ULL << 0)
#define CONNECT_TCP      (1ULL << 1)
#define SCOPE_ABSTRACT   (1ULL << 0)
#define SCOPE_SIGNAL     (1ULL << 1)

enum {
    VERSION_OF_REFER = 2,
    VERSION_OF_TRUNCATE = 3,
    VERSION_OF_PORTS = 4,
    VERSION_OF_IOCTL = 5,
    VERSION_OF_SCOPE = 6,
    RULE_NET_PORT = 2,
};

/* linux/landlock.h of 6.12; an older kernel takes as much of it as it knows. */
struct ruleset_attributes {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
struct port_rule {
    uint64_t allowed_access, port;
};

int confinement_newest_version = INT_MAX;

static const uint64_t access_first_version = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
static const uint64_t access_of_reader = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t access_of_file =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;

/* Not granted to anyone: to run a file, and what no folder of ours holds. */
static const uint64_t access_never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
                                     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO;

/* Whole folders: /etc/resolv.conf and others are replaced by renaming, and a rule for a file would
 * stay with the one that is gone.  What a user of its own may read there is open to everybody. */
static const char *const system_of_users[] = {
    "/usr/lib",  "/usr/lib64",   "/usr/share", "/usr/local/share",        "/lib",
    "/lib64",    "/etc",         "/proc",      "/sys/devices/system/cpu", "/run/systemd/resolve",
    "/dev/null", "/dev/urandom", NULL};
static const char *const system_of_root[] = {"/usr/lib",
                                             "/usr/lib64",
                                             "/usr/share",
                                             "/usr/local/share",
                                             "/lib",
                                             "/lib64",
                                             "/etc/resolv.conf",
                                             "/etc/hosts",
                                             "/etc/nsswitch.conf",
                                             "/etc/host.conf",
                                             "/etc/gai.conf",
                                             "/etc/services",
                                             "/etc/localtime",
                                             "/etc/timezone",
                                             "/etc/ssl/certs",
                                             "/etc/ssl/openssl.cnf",
                                             "/proc/self",
                                             "/proc/sys",
                                             "/sys/devices/system/cpu",
                                             "/run/systemd/resolve",
                                             "/dev/null",
                                             "/dev/urandom",
                                             NULL};

const char *const *confinement_system(void)
{
    return geteuid() == 0 ? system_of_root : system_of_users;
}

static int known_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1 || confinement_newest_version < 1)
        return 0;
    return version < confinement_newest_version ? (int)version : confinement_newest_version;
}

static struct ruleset_attributes handled_by(int version)
{
    struct ruleset_attributes attributes = {.handled_access_fs = access_first_version};

    if (version >= VERSION_OF_REFER)
        attributes.handled_access_fs |= ACCESS_REFER;
    if (version >= VERSION_OF_TRUNCATE)
        attributes.handled_access_fs |= ACCESS_TRUNCATE;
    if (version >= VERSION_OF_PORTS)
        attributes.handled_access_net = BIND_TCP | CONNECT_TCP;
    if (version >= VERSION_OF_IOCTL)
        attributes.handled_access_fs |= ACCESS_IOCTL_DEV;
    if (version >= VERSION_OF_SCOPE)
        attributes.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    return attributes;
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

    for (size_t i = 0; error == 0 && paths && paths[i]; i++)
        error = *paths[i] ? grant(ruleset, paths[i], access) : 0;
    return error;
}

static int grant_paths(int ruleset, const struct confinement *confinement, uint64_t handled)
{
    int error = grant_all(ruleset, confinement->system, access_of_reader);

    if (error == 0)
        error = grant_all(ruleset, confinement->readable, access_of_reader);
    return error < 0 ? error : grant_all(ruleset, confinement->writable, handled & ~access_never);
}

static int grant_port(int ruleset, uint64_t access, uint16_t port)
{
    struct port_rule rule = {access, port};

    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0 ? FAULT(-errno) : 0;
}

/* Port 0 is any free one: a connection out of a chosen address is bound to it first. */
static int grant_ports(int ruleset, const struct confinement *confinement)
{
    int error = confinement->has_network ? grant_port(ruleset, BIND_TCP, 0) : 0;

    for (size_t i = 0; error == 0 && i < confinement->n_connect_ports; i++)
        error = grant_port(ruleset, CONNECT_TCP, confinement->connect_ports[i]);
    return error;
}

static int enforce(const struct ruleset_attributes *attributes,
                   const struct confinement *confinement)
{
    CLEANUP(close_fd)
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, attributes,
                     attributes->scoped               ? sizeof(*attributes)
                     : attributes->handled_access_net ? offsetof(struct ruleset_attributes, scoped)
                                                      : sizeof(attributes->handled_access_fs),
                     0);
    int error;

    if (ruleset < 0)
        return FAULT(-errno);
    error = grant_paths(ruleset, confinement, attributes->handled_access_fs);
    if (error == 0 && attributes->handled_access_net)
        error = grant_ports(ruleset, confinement);
    if (error == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                       syscall(SYS_landlock_restrict_self, ruleset, 0) < 0))
        error = FAULT(-errno);
    return error;
}

int confinement_enter(const struct confinement *confinement, struct confinement_got *got)
{
    struct ruleset_attributes attributes;
    int version = known_version();

    *got = (struct confinement_got){0};
    if (version == 0)
        return 0;
    attributes = handled_by(version);
    if (confinement->has_network && !confinement->is_restricted)
        attributes.handled_access_net &= ~CONNECT_TCP;
    *got = (struct confinement_got){.version = version,
                                    .has_files = true,
                                    .has_ports = attributes.handled_access_net != 0,
                                    .has_signals = attributes.scoped != 0};
    return enforce(&attributes, confinement);
}
