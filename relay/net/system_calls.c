/* The only file that includes seccomp.h.  The lists name calls, so that they hold for x86_64 and
 * aarch64 alike: what an architecture does not have is passed over by libseccomp. */
#include "relay/net/system_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "relay/net/refused_calls.h"

/* LeakSanitizer ends by tracing its own process, ThreadSanitizer starts threads and maps what it
 * likes: a list with all that would be no list. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = true };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif
#else
enum { IS_SANITIZED = false };
#endif

bool system_calls_are_there = true;

/* ---- the lists ---- */

/* Memory, threads, time, descriptors at hand, files below the folders that Landlock grants. */
static const int calls_of_both[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(preadv2),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(pwritev2),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(shutdown),
    SCMP_SYS(close),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(lseek),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(fadvise64),
    SCMP_SYS(flock),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(getcwd),
    SCMP_SYS(memfd_create),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(pipe2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(futex),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* The net, and SQLite's ways with files. */
static const int calls_of_relay[] = {
    SCMP_SYS(accept),      SCMP_SYS(accept4),     SCMP_SYS(bind),       SCMP_SYS(connect),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(recvmmsg),    SCMP_SYS(sendfile),    SCMP_SYS(fchown),     SCMP_SYS(sync_file_range),
};

static const int families[] = {AF_INET, AF_INET6};
static const struct {
    int type, protocol;
} transports[] = {
  /* not MPTCP, SCTP or SMC: Landlock's ports are those of TCP */
    {SOCK_STREAM, 0          },
    {SOCK_STREAM, IPPROTO_TCP},
    {SOCK_DGRAM,  0          },
    {SOCK_DGRAM,  IPPROTO_UDP}
};

enum { TYPE_MASK = 0xf };

char *refused_calls_name(int call)
{
    return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
}

/* ---- the filter ---- */

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t n)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < n; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return error;
}

/* Threads, yes; processes, no.  Of clone3() a filter sees only a pointer, so glibc is told that
 * there is none and takes clone(). */
static int rule_threads(scmp_filter_ctx filter)
{
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    return error ? error
                 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* Nothing that can be written or was made here is ever run. */
static int rule_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp not_run = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_run);

    return error ? error : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_run);
}

/* abort() and raise() reach this process only; limits are read, not set, and our own. */
static int rule_process(scmp_filter_ctx filter)
{
    static const int readable[] = {PR_GET_NAME,         PR_SET_NAME,    PR_GET_DUMPABLE,
                                   PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_CAPBSET_READ,
                                   PR_SET_VMA};
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));

    if (!error)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, 0),
                                 SCMP_A2(SCMP_CMP_EQ, 0, 0));
    for (size_t i = 0; !error && i < sizeof(readable) / sizeof(readable[0]); i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)readable[i], 0));
    return error;
}

/* Copies, flags, SQLite's locks, seals of memory files.  Not whom a descriptor signals (F_SETOWN,
 * F_SETSIG, O_ASYNC), nor who must wait for us or is watched (F_SETLEASE, F_NOTIFY). */
static int rule_fcntl(scmp_filter_ctx filter)
{
    static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,    F_GETFL,
                                   F_GETLK, F_SETLK,         F_ADD_SEALS, F_GET_SEALS};
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, F_SETFL),
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0));

    for (size_t i = 0; !error && i < sizeof(commands) / sizeof(commands[0]); i++)
        error =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)commands[i]));
    return error;
}

/* A terminal?  How much is there?  Never TIOCSTI and its like. */
static int rule_descriptors(scmp_filter_ctx filter)
{
    static const unsigned long orders[] = {TCGETS, FIONREAD, FIONBIO, FIOCLEX};
    int error = rule_fcntl(filter);

    for (size_t i = 0; !error && i < sizeof(orders) / sizeof(orders[0]); i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, orders[i]));
    return error;
}

/* A connection made by sending would pass Landlock's ports by.  libunbound tries it for DNS over
 * TCP and connects as usual where it is told that there is no such thing. */
static int rule_sending(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp of_sendmsg[] = {
        SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
        SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN)};
    const struct scmp_arg_cmp of_sendto[] = {
        SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
        SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN)};
    const uint32_t actions[] = {SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EOPNOTSUPP)};
    int error = 0;

    for (size_t i = 0; !error && i < sizeof(actions) / sizeof(actions[0]); i++) {
        error = seccomp_rule_add(filter, actions[i], SCMP_SYS(sendmsg), 1, of_sendmsg[i]);
        if (!error)
            error = seccomp_rule_add(filter, actions[i], SCMP_SYS(sendto), 1, of_sendto[i]);
        if (!error) /* flags are the fourth, as with sendto() */
            error = seccomp_rule_add(filter, actions[i], SCMP_SYS(sendmmsg), 1, of_sendto[i]);
    }
    return error;
}

static int rule_sockets(scmp_filter_ctx filter)
{
    int error = 0;

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        for (size_t k = 0; !error && k < sizeof(transports) / sizeof(transports[0]); k++)
            error = seccomp_rule_add(
                filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
                SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
                SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, (scmp_datum_t)transports[k].type),
                SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)transports[k].protocol, 0));
    if (!error) /* which addresses are ours: own_addresses.c */
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, SIOCGIFCONF));
    if (!error) /* the channels to the signer; a datagram socket would reach the journal's */
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
                                 SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_SEQPACKET));
    return error;
}

static int add_rules(scmp_filter_ctx filter, enum system_calls_role role)
{
    static int (*const common[])(scmp_filter_ctx) = {rule_threads, rule_memory, rule_process,
                                                     rule_descriptors, rule_sending};
    int error = allow_all(filter, calls_of_both, sizeof(calls_of_both) / sizeof(calls_of_both[0]));

    for (size_t i = 0; !error && i < sizeof(common) / sizeof(common[0]); i++)
        error = common[i](filter);
    if (error || role == SYSTEM_CALLS_SIGNER)
        return error;
    error = allow_all(filter, calls_of_relay, sizeof(calls_of_relay) / sizeof(calls_of_relay[0]));
    return error ? error : rule_sockets(filter);
}

static int load(enum system_calls_role role)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    int error;

    if (!filter)
        return FAULT(-ENOMEM);
    error = refused_calls_start();
    if (!error)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
    if (!error)
        error = add_rules(filter, role);
    if (!error)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error ? FAULT(error) : 0;
}

static bool kernel_knows(void)
{
    uint32_t action = SECCOMP_RET_TRAP;

    return system_calls_are_there &&
           syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int system_calls_confine(enum system_calls_role role)
{
    if (IS_SANITIZED)
        return SYSTEM_CALLS_SANITIZED;
    return kernel_knows() ? load(role) : SYSTEM_CALLS_MISSING;
}
