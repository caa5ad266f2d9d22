/* Linked into staffetta_probe, never into staffetta: on SIGUSR2 a process of the service tries what
 * its sandbox must forbid and says what came of it, one line a try:
 *
 *   probe pid=812 what=socket_packet result=EPERM
 *
 * The relay and the signer wait in poll() on their first thread, which is the only one that takes
 * the signal, so the handler may do what a handler else may not.  Where to look is told by the
 * environment: PROBE_KEYS a folder of keys, PROBE_OUTSIDE a folder that was not granted,
 * PROBE_PORT a port that was not, PROBE_OPEN_PORT one that was.  PROBE_LANDLOCK and
 * PROBE_NO_SECCOMP play older kernels. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "relay/net/confinement.h"
#include "relay/net/system_calls.h"

static const char *where(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

/* ---- files ---- */

static int open_only(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd;
}

static int list_keys(void)
{
    return open_only(where("PROBE_KEYS"), O_RDONLY | O_DIRECTORY);
}

static int read_shadow(void)
{
    return open_only("/etc/shadow", O_RDONLY);
}

static int read_outside(void)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/readable", where("PROBE_OUTSIDE"));
    return open_only(path, O_RDONLY);
}

static int write_outside(void)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/new", where("PROBE_OUTSIDE"));
    return open_only(path, O_CREAT | O_WRONLY);
}

static int write_library(void)
{
    return open_only("/usr/lib/staffetta-probe", O_CREAT | O_WRONLY);
}

static int parent_memory(void)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
    return open_only(path, O_RDONLY);
}

static int mount_there(void)
{
    return mount("none", "/tmp", "tmpfs", 0, NULL);
}

/* ---- a file of one's own: a memory file is any process's, and it is a file ---- */

static int with_own_file(int (*act)(int fd))
{
    int fd = memfd_create("probe", MFD_CLOEXEC);
    int result, error;

    if (fd < 0)
        return fd;
    result = act(fd);
    error = errno;
    close(fd);
    errno = error;
    return result;
}

static int open_to_all(int fd)
{
    return fchmod(fd, 0666);
}

static int open_to_all_by_path(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, 0666);
}

static int age(int fd)
{
    return futimens(fd, NULL);
}

static int send_signals(int fd)
{
    return fcntl(fd, F_SETOWN, getppid());
}

static int choose_signal(int fd)
{
    return fcntl(fd, F_SETSIG, SIGTERM);
}

static int lease(int fd)
{
    return fcntl(fd, F_SETLEASE, F_UNLCK);
}

static int signal_readiness(int fd)
{
    return fcntl(fd, F_SETFL, O_ASYNC);
}

static int change_mode(void)
{
    return with_own_file(open_to_all);
}

static int change_mode_of_name(void)
{
    return with_own_file(open_to_all_by_path);
}

static int change_times(void)
{
    return with_own_file(age);
}

static int set_owner(void)
{
    return with_own_file(send_signals);
}

static int set_signal(void)
{
    return with_own_file(choose_signal);
}

static int set_lease(void)
{
    return with_own_file(lease);
}

static int set_async(void)
{
    return with_own_file(signal_readiness);
}

static int watch_folder(void)
{
    int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fcntl(fd, F_NOTIFY, DN_CREATE), error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return result;
}

/* ---- programs and processes ---- */

static int run_program(void)
{
    char *const words[] = {(char[]){"true"}, NULL};

    return execve("/bin/true", words, words); /* comes back only when refused */
}

static int run_nothing_by_descriptor(void)
{
    return (int)syscall(SYS_execveat, -1, "", NULL, NULL, 0);
}

static int make_process(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid(child, NULL, 0);
    return child;
}

static int trace_parent(void)
{
    return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int read_parent(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};

    return (int)process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static int kill_parent(void)
{
    return kill(getppid(), 0);
}

static int new_namespace(void)
{
    return (int)syscall(SYS_unshare, 0x10000000); /* CLONE_NEWUSER */
}

static int become_root(void)
{
    return geteuid() == 0 ? setresuid(65534, 0, 0) : setuid(0);
}

static int give_away(void)
{
    return chown(where("PROBE_OUTSIDE"), 65534, 65534);
}

static int raise_limit(void)
{
    struct rlimit limit = {1 << 20, 1 << 20};

    return setrlimit(RLIMIT_NOFILE, &limit);
}

static int limits_of_parent(void)
{
    struct rlimit limit;

    return prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit);
}

static int choose_processor(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) < 0 ? -1
                                                       : sched_setaffinity(0, sizeof(set), &set);
}

static int allow_dumps(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- the kernel ---- */

static int ring(void)
{
    struct io_uring_params parameters = {0};

    return (int)syscall(SYS_io_uring_setup, 8, &parameters);
}

static int load_program(void)
{
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

static int handle_faults(void)
{
    return (int)syscall(SYS_userfaultfd, 1); /* UFFD_USER_MODE_ONLY: open to all */
}

static int runnable_memory(void)
{
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return -1;
    munmap(memory, 4096);
    return 0;
}

static int set_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return clock_settime(CLOCK_REALTIME, &now);
}

/* ---- the net ---- */

static int socket_only(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);

    if (fd >= 0)
        close(fd);
    return fd;
}

static int socket_packet(void)
{
    return socket_only(AF_PACKET, SOCK_RAW, 0);
}

static int socket_raw(void)
{
    return socket_only(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int socket_unix(void)
{
    return socket_only(AF_UNIX, SOCK_STREAM, 0);
}

static int socket_audit(void)
{
    return socket_only(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static int socket_netlink(void)
{
    return socket_only(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int socket_mptcp(void)
{
    return socket_only(AF_INET, SOCK_STREAM, 262);
}

static int socket_tcp(void)
{
    return socket_only(AF_INET, SOCK_STREAM, 0);
}

static int socket_udp(void)
{
    return socket_only(AF_INET6, SOCK_DGRAM, 0);
}

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
}

static int with_socket(int (*act)(int fd, const struct sockaddr *address, socklen_t len),
                       const char *port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result, error;

    if (fd < 0)
        return fd;
    result = act(fd, (const struct sockaddr *)&address, sizeof(address));
    error = errno;
    close(fd);
    errno = error;
    return result;
}

static int bind_port(void)
{
    return with_socket(bind, "28025");
}

static int bind_any_port(void)
{
    return with_socket(bind, "0");
}

static int connect_port(void)
{
    return with_socket(connect, where("PROBE_PORT"));
}

static int connect_open_port(void)
{
    return with_socket(connect, where("PROBE_OPEN_PORT"));
}

/* TCP Fast Open connects by sending. */
static int send_open(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)sendto(fd, "x", 1, MSG_FASTOPEN, address, len);
}

static int connect_by_sending(void)
{
    return with_socket(send_open, where("PROBE_PORT"));
}

/* ---- on the signal ---- */

static const struct {
    const char *what;
    int (*try)(void);
} tries[] = {
    {"list_keys",          list_keys                },
    {"read_shadow",        read_shadow              },
    {"read_outside",       read_outside             },
    {"write_outside",      write_outside            },
    {"write_library",      write_library            },
    {"parent_memory",      parent_memory            },
    {"mount",              mount_there              },
    {"fchmod",             change_mode              },
    {"fchmodat",           change_mode_of_name      },
    {"futimens",           change_times             },
    {"fcntl_setown",       set_owner                },
    {"fcntl_setsig",       set_signal               },
    {"fcntl_setlease",     set_lease                },
    {"fcntl_async",        set_async                },
    {"fcntl_notify",       watch_folder             },
    {"prlimit_parent",     limits_of_parent         },
    {"sched_setaffinity",  choose_processor         },
    {"execveat",           run_nothing_by_descriptor},
    {"fork",               make_process             },
    {"ptrace",             trace_parent             },
    {"process_vm_readv",   read_parent              },
    {"kill_parent",        kill_parent              },
    {"unshare",            new_namespace            },
    {"setuid",             become_root              },
    {"chown",              give_away                },
    {"setrlimit",          raise_limit              },
    {"dumpable",           allow_dumps              },
    {"io_uring_setup",     ring                     },
    {"bpf",                load_program             },
    {"userfaultfd",        handle_faults            },
    {"exec_memory",        runnable_memory          },
    {"clock_settime",      set_clock                },
    {"socket_packet",      socket_packet            },
    {"socket_raw",         socket_raw               },
    {"socket_unix",        socket_unix              },
    {"socket_audit",       socket_audit             },
    {"socket_netlink",     socket_netlink           },
    {"socket_mptcp",       socket_mptcp             },
    {"socket_tcp",         socket_tcp               },
    {"socket_udp",         socket_udp               },
    {"bind",               bind_port                },
    {"bind_any",           bind_any_port            },
    {"connect",            connect_port             },
    {"connect_open",       connect_open_port        },
    {"connect_by_sending", connect_by_sending       },
    {"exec",               run_program              }, /* last: it does not come back when allowed */
};

static void try_all(int signal_number)
{
    int saved_errno = errno;
    pid_t pid = getpid();

    (void)signal_number;
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        char line[160];
        const char *name;
        int len;

        errno = 0;
        name = tries[i].try() < 0 ? strerrorname_np(errno) : "done";
        len = snprintf(line, sizeof(line), "probe pid=%d what=%s result=%s\n", pid, tries[i].what,
                       name ? name : "?");
        if (write(STDERR_FILENO, line, (size_t)len) < 0)
            break;
    }
    (void)!write(STDERR_FILENO, "probe end\n", 10);
    errno = saved_errno;
}

__attribute__((constructor)) static void listen_for_orders(void)
{
    struct sigaction action = {.sa_handler = try_all, .sa_flags = SA_RESTART};

    if (*where("PROBE_LANDLOCK"))
        confinement_newest_version = (int)strtol(where("PROBE_LANDLOCK"), NULL, 10);
    system_calls_are_there = !*where("PROBE_NO_SECCOMP");
    sigaction(SIGUSR2, &action, NULL);
}
