/* The system calls that durability rests on, as a table: tests put their own in front to record
 * their order and to make the n-th fail.  SQLite's go through a VFS (db_settings.vfs).
 * Each returns what the system call returns, errors as -errno.  Thread: any. */
#pragma once

#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "relay/base/fault.h"

struct io {
    int (*open)(int dir_fd, const char *name, int flags, mode_t mode);
    int64_t (*write)(int fd, const struct iovec *pieces, int n_pieces, uint64_t offset);
    int64_t (*read)(int fd, void *out, size_t length, uint64_t offset);
    int (*data_sync)(int fd); /* fdatasync */
    int (*sync)(int fd);      /* fsync: folders, new files */
    /* The data of a range is written, but nothing is durable: no sync (sync_file_range). */
    int (*write_back)(int fd, uint64_t offset, uint64_t length);
    int (*allocate)(int fd, uint64_t length); /* blocks for the first length bytes */
    int (*rename)(int dir_fd, const char *from, const char *to);
    int (*remove)(int dir_fd, const char *name);
    int (*space)(int fd, struct statvfs *out);
};

extern const struct io io_system;

/* All of the pieces, however often the system stops short; uses them up.  0 or -errno. */
MUST_USE int io_write_all(const struct io *io, int fd, struct iovec *pieces, int n_pieces,
                          uint64_t offset);

/* Exactly length bytes; 0, -EBADMSG when the file is shorter, or -errno. */
MUST_USE int io_read_all(const struct io *io, int fd, void *out, size_t length, uint64_t offset);
