/* Loaded into the real service (LD_PRELOAD) by tests: while the first octet of the file named by
 * FAILING_DISK is not '0', writes to and syncs of the queue's databases fail with EIO.  The file is
 * mapped before the service confines itself, so that nothing is opened later.
 * Thread: any; the table of descriptors is written by whoever opens one. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Under names of our own here, under the system's for whoever calls them. */
int failing_open(const char *path, int flags, ...) __asm__("open");
int failing_open64(const char *path, int flags, ...) __asm__("open64");
int failing_fdatasync(int fd) __asm__("fdatasync");
int failing_fsync(int fd) __asm__("fsync");
ssize_t failing_pwrite(int fd, const void *data, size_t length, off_t offset) __asm__("pwrite");
ssize_t failing_pwrite64(int fd, const void *data, size_t length, off_t offset) __asm__("pwrite64");

enum { MOST_DESCRIPTORS = 1 << 16, CONTROL_BYTES = 1 };

static const volatile char *control;
static bool is_database[MOST_DESCRIPTORS];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAILING_DISK");
    int fd = path ? openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, CONTROL_BYTES, PROT_READ, MAP_SHARED, fd, 0);

    if (mapped != MAP_FAILED)
        control = mapped;
    if (fd >= 0)
        close(fd);
}

static bool must_fail(int fd)
{
    return control && *control != '0' && fd >= 0 && fd < MOST_DESCRIPTORS && is_database[fd];
}

static int note(int fd, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (fd >= 0 && fd < MOST_DESCRIPTORS)
        is_database[fd] = strncmp(name, "queue", 5) == 0 && strstr(name, ".db");
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

int failing_open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return note(openat(AT_FDCWD, path, flags, mode), path);
}

int failing_open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return note(openat(AT_FDCWD, path, flags, mode), path);
}

static int fail(void)
{
    errno = EIO;
    return -1;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

int failing_fdatasync(int fd)
{
    return must_fail(fd) ? fail() : ((int (*)(int))next("fdatasync"))(fd);
}

int failing_fsync(int fd)
{
    return must_fail(fd) ? fail() : ((int (*)(int))next("fsync"))(fd);
}

ssize_t failing_pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    return must_fail(fd) ? fail()
                         : ((ssize_t(*)(int, const void *, size_t, off_t))next("pwrite64"))(
                               fd, data, length, offset);
}

ssize_t failing_pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return failing_pwrite64(fd, data, length, offset);
}
