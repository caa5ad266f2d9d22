#include "relay/spool/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "relay/base/fault.h"

static int open_system(int dir_fd, const char *name, int flags, mode_t mode)
{
    int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);

    return fd < 0 ? -errno : fd;
}

static int64_t write_system(int fd, const struct iovec *pieces, int n_pieces, uint64_t offset)
{
    ssize_t n_written;

    do
        n_written = pwritev(fd, pieces, n_pieces, (off_t)offset);
    while (n_written < 0 && errno == EINTR);
    return n_written < 0 ? -errno : n_written;
}

static int64_t read_system(int fd, void *out, size_t length, uint64_t offset)
{
    ssize_t n_read;

    do
        n_read = pread(fd, out, length, (off_t)offset);
    while (n_read < 0 && errno == EINTR);
    return n_read < 0 ? -errno : n_read;
}

static int data_sync_system(int fd)
{
    return fdatasync(fd) < 0 ? -errno : 0;
}

static int sync_system(int fd)
{
    return fsync(fd) < 0 ? -errno : 0;
}

static int write_back_system(int fd, uint64_t offset, uint64_t length)
{
    const unsigned flags = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    return sync_file_range(fd, (off_t)offset, (off_t)length, flags) < 0 ? -errno : 0;
}

static int allocate_system(int fd, uint64_t length)
{
    int error = posix_fallocate(fd, 0, (off_t)length);

    return -error;
}

static int rename_system(int dir_fd, const char *from, const char *to)
{
    return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

static int remove_system(int dir_fd, const char *name)
{
    return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

static int space_system(int fd, struct statvfs *out)
{
    return fstatvfs(fd, out) < 0 ? -errno : 0;
}

const struct io io_system = {
    .open = open_system,
    .write = write_system,
    .read = read_system,
    .data_sync = data_sync_system,
    .sync = sync_system,
    .write_back = write_back_system,
    .allocate = allocate_system,
    .rename = rename_system,
    .remove = remove_system,
    .space = space_system,
};

/* Drops the first n bytes of the pieces; returns how many pieces are used up. */
static int skip_written(struct iovec *pieces, int n_pieces, size_t n)
{
    int i = 0;

    while (i < n_pieces && n >= pieces[i].iov_len)
        n -= pieces[i++].iov_len;
    if (i < n_pieces) {
        pieces[i].iov_base = (char *)pieces[i].iov_base + n;
        pieces[i].iov_len -= n;
    }
    return i;
}

int io_write_all(const struct io *io, int fd, struct iovec *pieces, int n_pieces, uint64_t offset)
{
    while (n_pieces > 0) {
        int n_now = n_pieces < IOV_MAX ? n_pieces : IOV_MAX, n_used;
        int64_t n_written = io->write(fd, pieces, n_now, offset);

        if (n_written < 0)
            return FAULT((int)n_written);
        offset += (uint64_t)n_written;
        n_used = skip_written(pieces, n_pieces, (size_t)n_written);
        if (n_used == 0 && n_written == 0)
            return FAULT(-EIO); /* a device that takes nothing and says nothing */
        pieces += n_used;
        n_pieces -= n_used;
    }
    return 0;
}

int io_read_all(const struct io *io, int fd, void *out, size_t length, uint64_t offset)
{
    char *end = out;

    while (length > 0) {
        int64_t n_read = io->read(fd, end, length, offset);

        if (n_read < 0)
            return FAULT((int)n_read);
        if (n_read == 0)
            return -EBADMSG;
        end += n_read;
        length -= (size_t)n_read;
        offset += (uint64_t)n_read;
    }
    return 0;
}
