#include "sql/db_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int db_make_private(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno == EEXIST ? 0 : FAULT(-errno);
}

enum { PAGE_BYTES = 4096 };

/* From the end of the file, or the start of the page, up to offset. */
static int fill_up(int fd, off_t offset)
{
    static const char zeros[PAGE_BYTES];
    struct stat status;
    off_t at = offset + 1 - PAGE_BYTES;

    if (fstat(fd, &status) < 0)
        return -1;
    if (status.st_size > at)
        at = status.st_size;
    while (at < offset) {
        ssize_t n_written = pwrite(fd, zeros, (size_t)(offset - at), at);

        if (n_written > 0) {
            at += n_written;
        } else if (n_written == 0) {
            errno = ENOSPC;
            return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

ssize_t db_write_page(int fd, const void *data, size_t length, off_t offset)
{
    if (length == 1 && offset % PAGE_BYTES == PAGE_BYTES - 1 && fill_up(fd, offset) < 0)
        return -1;
    return pwrite(fd, data, length, offset);
}
