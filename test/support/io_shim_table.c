#include "test/support/io_shim_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void path_of_fd(int fd, char *out, size_t size)
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, out, size - 1);
    out[length < 0 ? 0 : length] = '\0';
}

static int shim_open(int dir_fd, const char *name, int flags, mode_t mode)
{
    char folder[512], path[800];
    bool is_new = (flags & O_CREAT) && faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    int error, fd;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    error = io_shim_count(IO_CREATE, path);
    if (error)
        return -error;
    fd = io_system.open(dir_fd, name, flags, mode);
    if (fd >= 0 && is_new)
        io_shim_keep(IO_CREATE, path, 0, NULL, 0, NULL);
    if (fd >= 0 && (flags & O_TRUNC))
        io_shim_keep(IO_SIZE, path, 0, NULL, 0, NULL);
    return fd;
}

static void record_pieces(const char *path, const struct iovec *pieces, int n_pieces,
                          uint64_t offset, int64_t n_written)
{
    for (int i = 0; i < n_pieces && n_written > 0; i++) {
        size_t length =
            pieces[i].iov_len < (size_t)n_written ? pieces[i].iov_len : (size_t)n_written;

        io_shim_keep(IO_WRITE, path, offset, pieces[i].iov_base, length, NULL);
        offset += length;
        n_written -= (int64_t)length;
    }
}

static int64_t shim_write(int fd, const struct iovec *pieces, int n_pieces, uint64_t offset)
{
    char path[512];
    int error;
    int64_t n_written;

    path_of_fd(fd, path, sizeof(path));
    error = io_shim_count(IO_WRITE, path);
    if (error && !io_shim_is_short())
        return -error;
    if (error) { /* half of it, and then no more: the caller's next write fails */
        struct iovec half = {pieces[0].iov_base, (pieces[0].iov_len + 1) / 2};

        n_written = io_system.write(fd, &half, 1, offset);
        record_pieces(path, &half, 1, offset, n_written);
        io_shim_fail(1, EIO);
        return n_written;
    }
    n_written = io_system.write(fd, pieces, n_pieces, offset);
    record_pieces(path, pieces, n_pieces, offset, n_written);
    return n_written;
}

static int sync_with(int (*sync)(int), int fd)
{
    char path[512];
    int error, result;
    struct stat status;

    path_of_fd(fd, path, sizeof(path));
    error = io_shim_count(IO_SYNC, path);
    if (error)
        return -error;
    io_shim_delay();
    result = sync(fd);
    if (result == 0 && fstat(fd, &status) == 0)
        io_shim_keep(S_ISDIR(status.st_mode) ? IO_SYNC_DIR : IO_SYNC, path, 0, NULL, 0, NULL);
    return result;
}

static int shim_data_sync(int fd)
{
    return sync_with(io_system.data_sync, fd);
}

static int shim_sync(int fd)
{
    return sync_with(io_system.sync, fd);
}

/* Makes nothing durable, so the record does not know it. */
static int shim_write_back(int fd, uint64_t offset, uint64_t length)
{
    char path[512];
    int error;

    path_of_fd(fd, path, sizeof(path));
    error = io_shim_count(IO_WRITE, path);
    return error ? -error : io_system.write_back(fd, offset, length);
}

static int shim_allocate(int fd, uint64_t length)
{
    char path[512];
    int error;

    path_of_fd(fd, path, sizeof(path));
    error = io_shim_count(IO_SIZE, path);
    if (error)
        return -error;
    error = io_system.allocate(fd, length);
    if (!error)
        io_shim_keep(IO_SIZE, path, length, NULL, 0, NULL);
    return error;
}

static int shim_rename(int dir_fd, const char *from, const char *to)
{
    char folder[512], path[800];
    int error;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, from);
    error = io_shim_count(IO_RENAME, path);
    if (error)
        return -error;
    error = io_system.rename(dir_fd, from, to);
    if (!error)
        io_shim_keep(IO_RENAME, path, 0, NULL, 0, to);
    return error;
}

static int shim_remove(int dir_fd, const char *name)
{
    char folder[512], path[800];
    int error;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    error = io_shim_count(IO_REMOVE, path);
    if (error)
        return -error;
    error = io_system.remove(dir_fd, name);
    if (!error)
        io_shim_keep(IO_REMOVE, path, 0, NULL, 0, NULL);
    return error;
}

static int shim_space(int fd, struct statvfs *out)
{
    int error = io_shim_count(IO_NOTE, "space");

    return error ? -error : io_system.space(fd, out);
}

static int64_t shim_read(int fd, void *out, size_t length, uint64_t offset)
{
    return io_system.read(fd, out, length, offset);
}

const struct io io_shim = {
    .open = shim_open,
    .write = shim_write,
    .read = shim_read,
    .data_sync = shim_data_sync,
    .sync = shim_sync,
    .write_back = shim_write_back,
    .allocate = shim_allocate,
    .rename = shim_rename,
    .remove = shim_remove,
    .space = shim_space,
};
