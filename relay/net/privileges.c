#include "relay/net/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static unsigned long raise_limit(enum __rlimit_resource resource, unsigned long wanted)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0)
        return 0;
    if (limit.rlim_cur >= wanted)
        return limit.rlim_cur;
    if (limit.rlim_max < wanted) { /* root may go beyond */
        struct rlimit larger = {wanted, wanted};

        if (setrlimit(resource, &larger) == 0)
            return wanted;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(resource, &limit);
    return getrlimit(resource, &limit) < 0 ? 0 : limit.rlim_cur;
}

unsigned long privileges_raise_file_limit(unsigned long wanted)
{
    return raise_limit(RLIMIT_NOFILE, wanted);
}

unsigned long privileges_raise_lock_limit(unsigned long wanted)
{
    return raise_limit(RLIMIT_MEMLOCK, wanted);
}

int privileges_find_user(const char *name, struct user_ids *out)
{
    char memory[16384];
    struct passwd entry, *found = NULL;
    int error = getpwnam_r(name, &entry, memory, sizeof(memory), &found);

    if (found) {
        *out = (struct user_ids){entry.pw_uid, entry.pw_gid};
        return 0;
    }
    /* "Not there" has many faces, getpwnam_r(3). */
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
        return NO_SUCH_USER;
    return FAULT(-error);
}

int privileges_die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return FAULT(-errno);
    return getppid() == parent ? 0 : -ESRCH;
}

/* core(5): of all the kinds of memory, none.  gcore, which root may run on any process, goes by it
 * too.  Children inherit it, and cannot write it again once they are not dumpable. */
static void filter_dumps(void)
{
    CLEANUP(close_fd) int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        (void)!write(fd, "0", 1);
}

int privileges_hide_memory(void)
{
    const struct rlimit none = {0, 0};

    filter_dumps();
    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return FAULT(-errno);
    return 0;
}

int privileges_no_new(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? FAULT(-errno) : 0;
}

/* What a set-user-id program could still get.  Without CAP_SETPCAP it stays as our starter left
 * it, which no_new_privs makes worthless. */
static void narrow_bounds(uint64_t keep)
{
    for (unsigned long capability = 0; capability < 64; capability++)
        if (!(keep >> capability & 1) && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int narrow_own(uint64_t keep)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* older than 4.3: none */
    if (syscall(SYS_capget, &header, data) < 0)
        return FAULT(-errno);
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(keep >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? FAULT(-errno) : 0;
}

int privileges_keep(uint64_t capabilities)
{
    narrow_bounds(capabilities);
    return narrow_own(capabilities);
}

static int change_user(const char *name, struct user_ids ids)
{
    if (initgroups(name, ids.gid) < 0 || setresgid(ids.gid, ids.gid, ids.gid) < 0 ||
        setresuid(ids.uid, ids.uid, ids.uid) < 0)
        return FAULT(-errno);
    if (ids.uid != 0 && setuid(0) == 0)
        return FAULT(-EPERM); /* there is a way back: not dropped at all */
    return 0;
}

/* A change of user clears the signal at the parent's death, prctl(2). */
static int change_user_and_stay_bound(const char *name, struct user_ids ids)
{
    pid_t parent = getppid();
    int was_bound = 0, error;

    prctl(PR_GET_PDEATHSIG, &was_bound, 0, 0, 0);
    error = change_user(name, ids);
    if (error < 0 || !was_bound)
        return error;
    return privileges_die_with(parent);
}

int privileges_become(const char *name, enum privileges_result *result)
{
    struct user_ids ids = {0};
    int error = name ? privileges_find_user(name, &ids) : 0;

    if (error == 0 || error == NO_SUCH_USER)
        error = privileges_no_new() < 0 ? -EPERM : error;
    if (error < 0)
        return error;
    narrow_bounds(0); /* before the user goes, and with it the right to */
    if (error == NO_SUCH_USER) {
        *result = PRIVILEGES_NO_SUCH_USER;
    } else if (!name || ids.uid == geteuid()) {
        *result = PRIVILEGES_KEPT_AS_ASKED;
    } else if (geteuid() != 0) {
        *result = PRIVILEGES_NOT_ROOT;
    } else {
        error = change_user_and_stay_bound(name, ids);
        if (error < 0)
            return error;
        *result = PRIVILEGES_DROPPED;
    }
    return narrow_own(0);
}
