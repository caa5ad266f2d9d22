#include "signer/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/base/file.h"

static int sync_folder(int dir_fd)
{
    return fsync(dir_fd) == 0 ? 0 : FAULT(-errno);
}

static int write_unfinished(int dir_fd, struct slice contents)
{
    CLEANUP(close_fd)
    int fd = openat(dir_fd, KEY_FILE_UNFINISHED,
                    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error;

    if (fd < 0)
        return FAULT(-errno);
    error = file_write_all(fd, contents);
    if (!error && fsync(fd) != 0)
        error = FAULT(-errno);
    return error;
}

int key_file_write(int dir_fd, const char *name, struct slice contents)
{
    int error = write_unfinished(dir_fd, contents);

    if (!error && renameat2(dir_fd, KEY_FILE_UNFINISHED, dir_fd, name, RENAME_NOREPLACE) != 0)
        error = errno == EEXIST ? -EEXIST : FAULT(-errno);
    if (error) {
        unlinkat(dir_fd, KEY_FILE_UNFINISHED, 0);
        return error;
    }
    return sync_folder(dir_fd);
}

int key_file_read(int dir_fd, const char *name, size_t limit, struct buffer *out)
{
    CLEANUP(close_fd) int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? FAULT(-errno) : file_read_all(fd, limit, out);
}

int key_file_rename(int dir_fd, const char *from, const char *to)
{
    if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) != 0)
        return FAULT(-errno);
    return sync_folder(dir_fd);
}

int key_file_delete(int dir_fd, const char *name)
{
    if (unlinkat(dir_fd, name, 0) != 0)
        return FAULT(-errno);
    return sync_folder(dir_fd);
}

int key_folder_check(int dir_fd)
{
    struct stat status;

    if (fstat(dir_fd, &status) != 0)
        return FAULT(-errno);
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return FAULT(-EACCES);
    return 0;
}
