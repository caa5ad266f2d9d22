#include "relay/net/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "relay/base/file.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

int memory_file_new(int *out, const char *name, struct slice bytes)
{
    CLEANUP(close_fd) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int error;

    if (fd < 0)
        return FAULT(-errno);
    error = file_write_all(fd, bytes);
    if (error < 0)
        return error;
    if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return FAULT(-errno);
    *out = take_fd(&fd);
    return 0;
}

int memory_file_read(int fd, size_t limit, struct buffer *out)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;
    size_t len, at = 0;

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) < 0)
        return FAULT(-EBADMSG);
    len = (size_t)status.st_size;
    if (len > limit)
        return FAULT(-EFBIG);
    if (buffer_reserve(out, len) < 0)
        return FAULT(-ENOMEM);
    while (at < len) {
        ssize_t n = pread(fd, out->data + out->len, len - at, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FAULT(n < 0 ? -errno : -EBADMSG);
        out->len += (size_t)n;
        at += (size_t)n;
    }
    return 0;
}
