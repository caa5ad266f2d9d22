#include "test/support/io_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    unsigned n_calls, fail_at;
    int error, error_all;
    bool has_failed, is_recording, is_short, is_once;
    char fail_all[64], hold[64];
    unsigned n_held, sync_delay_us;
    pthread_cond_t changed;
    char folder[512];
    struct io_call *calls;
    size_t n_recorded, capacity;
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const char *const kind_names[] = {
    [IO_CREATE] = "create", [IO_WRITE] = "write",   [IO_SIZE] = "size",     [IO_SYNC] = "sync",
    [IO_SYNC_DIR] = "sync", [IO_RENAME] = "rename", [IO_REMOVE] = "remove", [IO_NOTE] = "note",
};

/* ---- the record ---- */

static const char *below_folder(const char *path)
{
    size_t length = strlen(shim.folder);

    if (!path || length == 0 || strncmp(path, shim.folder, length) != 0)
        return "?";
    return path[length] == '/' ? path + length + 1 : path + length;
}

static void path_of_fd(int fd, char *out, size_t size)
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, out, size - 1);
    out[length < 0 ? 0 : length] = '\0';
}

/* Under the lock. */
static struct io_call *add_call(enum io_call_kind kind, const char *path)
{
    struct io_call *call;

    if (shim.n_recorded == shim.capacity) {
        shim.capacity = shim.capacity ? shim.capacity * 2 : 256;
        shim.calls = realloc(shim.calls, shim.capacity * sizeof(*shim.calls));
    }
    call = &shim.calls[shim.n_recorded++];
    *call = (struct io_call){.kind = kind};
    snprintf(call->path, sizeof(call->path), "%s", path);
    return call;
}

static void record(enum io_call_kind kind, const char *path, uint64_t offset, const void *data,
                   size_t length, const char *to)
{
    struct io_call *call;

    pthread_mutex_lock(&shim.lock);
    if (shim.is_recording) {
        call = add_call(kind, below_folder(path));
        call->offset = offset;
        call->length = length;
        if (length) {
            call->data = malloc(length);
            memcpy(call->data, data, length);
        }
        if (to)
            snprintf(call->to, sizeof(call->to), "%s", to);
    }
    pthread_mutex_unlock(&shim.lock);
}

/* Under the lock, which it lets go of while it waits. */
static void wait_while_held(const char *line)
{
    if (!shim.hold[0] || strncmp(line, shim.hold, strlen(shim.hold)) != 0)
        return;
    shim.n_held++;
    pthread_cond_broadcast(&shim.changed);
    while (shim.hold[0])
        pthread_cond_wait(&shim.changed, &shim.lock);
}

/* Counts a call; its error when it is to fail, else 0. */
static int must_fail(enum io_call_kind kind, const char *path)
{
    char line[600];
    int error = 0;

    pthread_mutex_lock(&shim.lock);
    snprintf(line, sizeof(line), "%s %s", kind_names[kind], below_folder(path));
    shim.n_calls++;
    wait_while_held(line);
    if (shim.fail_at && shim.n_calls == shim.fail_at) {
        shim.has_failed = true;
        error = shim.error;
    }
    if (shim.fail_all[0] && strncmp(line, shim.fail_all, strlen(shim.fail_all)) == 0) {
        shim.has_failed = true;
        error = shim.error_all;
        if (shim.is_once)
            shim.fail_all[0] = '\0';
    }
    pthread_mutex_unlock(&shim.lock);
    return error;
}

/* ---- the spool's table ---- */

static int shim_open(int dir_fd, const char *name, int flags, mode_t mode)
{
    char folder[512], path[800];
    bool is_new = (flags & O_CREAT) && faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    int error, fd;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    error = must_fail(IO_CREATE, path);
    if (error)
        return -error;
    fd = io_system.open(dir_fd, name, flags, mode);
    if (fd >= 0 && is_new)
        record(IO_CREATE, path, 0, NULL, 0, NULL);
    if (fd >= 0 && (flags & O_TRUNC))
        record(IO_SIZE, path, 0, NULL, 0, NULL);
    return fd;
}

static void record_pieces(const char *path, const struct iovec *pieces, int n_pieces,
                          uint64_t offset, int64_t n_written)
{
    for (int i = 0; i < n_pieces && n_written > 0; i++) {
        size_t length =
            pieces[i].iov_len < (size_t)n_written ? pieces[i].iov_len : (size_t)n_written;

        record(IO_WRITE, path, offset, pieces[i].iov_base, length, NULL);
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
    error = must_fail(IO_WRITE, path);
    if (error && !shim.is_short)
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

static void delay_sync(void)
{
    struct timespec delay = {0, (long)shim.sync_delay_us * 1000};

    if (shim.sync_delay_us)
        nanosleep(&delay, NULL); /* a slower disk, not a wait for something */
}

static int sync_with(int (*sync)(int), int fd)
{
    char path[512];
    int error, result;
    struct stat status;

    path_of_fd(fd, path, sizeof(path));
    error = must_fail(IO_SYNC, path);
    if (error)
        return -error;
    delay_sync();
    result = sync(fd);
    if (result == 0 && fstat(fd, &status) == 0)
        record(S_ISDIR(status.st_mode) ? IO_SYNC_DIR : IO_SYNC, path, 0, NULL, 0, NULL);
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

static int shim_allocate(int fd, uint64_t length)
{
    char path[512];
    int error;

    path_of_fd(fd, path, sizeof(path));
    error = must_fail(IO_SIZE, path);
    if (error)
        return -error;
    error = io_system.allocate(fd, length);
    if (!error)
        record(IO_SIZE, path, length, NULL, 0, NULL);
    return error;
}

static int shim_rename(int dir_fd, const char *from, const char *to)
{
    char folder[512], path[800];
    int error;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, from);
    error = must_fail(IO_RENAME, path);
    if (error)
        return -error;
    error = io_system.rename(dir_fd, from, to);
    if (!error)
        record(IO_RENAME, path, 0, NULL, 0, to);
    return error;
}

static int shim_remove(int dir_fd, const char *name)
{
    char folder[512], path[800];
    int error;

    path_of_fd(dir_fd, folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    error = must_fail(IO_REMOVE, path);
    if (error)
        return -error;
    error = io_system.remove(dir_fd, name);
    if (!error)
        record(IO_REMOVE, path, 0, NULL, 0, NULL);
    return error;
}

static int shim_space(int fd, struct statvfs *out)
{
    int error = must_fail(IO_NOTE, "space");

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
    .allocate = shim_allocate,
    .rename = shim_rename,
    .remove = shim_remove,
    .space = shim_space,
};

/* ---- SQLite's VFS: the default one behind ours ---- */

struct shim_file {
    sqlite3_file base;
    char path[512];
    bool syncs_folder; /* SQLite does so with the first sync of a new log or journal */
    sqlite3_file *real;
};

static struct shim_file *file_of(sqlite3_file *file)
{
    return (struct shim_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return file_of(file)->real;
}

static int code_of(int error, int code)
{
    return error == ENOSPC ? SQLITE_FULL : code;
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, n, offset);
}

static int file_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 offset)
{
    int error = must_fail(IO_WRITE, file_of(file)->path), result;

    if (error && shim.is_short) /* what SQLite's own layer makes of a short write */
        (void)real_of(file)->pMethods->xWrite(real_of(file), data, n / 2, offset);
    if (error)
        return code_of(error, SQLITE_IOERR_WRITE);
    result = real_of(file)->pMethods->xWrite(real_of(file), data, n, offset);
    if (result == SQLITE_OK)
        record(IO_WRITE, file_of(file)->path, (uint64_t)offset, data, (size_t)n, NULL);
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int error = must_fail(IO_SIZE, file_of(file)->path), result;

    if (error)
        return code_of(error, SQLITE_IOERR_TRUNCATE);
    result = real_of(file)->pMethods->xTruncate(real_of(file), size);
    if (result == SQLITE_OK)
        record(IO_SIZE, file_of(file)->path, (uint64_t)size, NULL, 0, NULL);
    return result;
}

static int file_sync(sqlite3_file *file, int flags)
{
    int error = must_fail(IO_SYNC, file_of(file)->path), result;

    if (error)
        return code_of(error, SQLITE_IOERR_FSYNC);
    delay_sync();
    result = real_of(file)->pMethods->xSync(real_of(file), flags);
    if (result == SQLITE_OK)
        record(IO_SYNC, file_of(file)->path, 0, NULL, 0, NULL);
    if (result == SQLITE_OK && file_of(file)->syncs_folder) {
        file_of(file)->syncs_folder = false;
        record(IO_SYNC_DIR, shim.folder, 0, NULL, 0, NULL);
    }
    return result;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int deletes)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static sqlite3_vfs *real_vfs;

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct shim_file *shim_file = file_of(file);
    bool is_new = name && access(name, F_OK) < 0;
    int error = must_fail(IO_CREATE, name), result;

    (void)self;
    *shim_file = (struct shim_file){.real = (sqlite3_file *)(void *)(shim_file + 1)};
    if (error)
        return code_of(error, SQLITE_CANTOPEN);
    result = real_vfs->xOpen(real_vfs, name, shim_file->real, flags, out);
    if (result != SQLITE_OK)
        return result;
    shim_file->base.pMethods = &methods;
    snprintf(shim_file->path, sizeof(shim_file->path), "%s", name ? name : "");
    shim_file->syncs_folder = is_new && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    if (is_new)
        record(IO_CREATE, name, 0, NULL, 0, NULL);
    return result;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int syncs_folder)
{
    int error = must_fail(IO_REMOVE, name), result;

    (void)self;
    if (error)
        return code_of(error, SQLITE_IOERR_DELETE);
    result = real_vfs->xDelete(real_vfs, name, syncs_folder);
    if (result == SQLITE_OK)
        record(IO_REMOVE, name, 0, NULL, 0, NULL);
    if (result == SQLITE_OK && syncs_folder)
        record(IO_SYNC_DIR, shim.folder, 0, NULL, 0, NULL);
    return result;
}

static sqlite3_vfs vfs;

static void register_vfs(void)
{
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.pNext = NULL;
    vfs.zName = IO_SHIM_VFS;
    vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(struct shim_file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    sqlite3_vfs_register(&vfs, 0);
}

/* ---- control ---- */

void io_shim_be_default(bool is_default)
{
    register_vfs();
    sqlite3_vfs_register(is_default ? &vfs : real_vfs, 1);
}

void io_shim_reset(const char *folder)
{
    register_vfs();
    pthread_mutex_lock(&shim.lock);
    for (size_t i = 0; i < shim.n_recorded; i++)
        free(shim.calls[i].data);
    free(shim.calls);
    shim.calls = NULL;
    shim.n_recorded = shim.capacity = 0;
    shim.n_calls = shim.fail_at = 0;
    shim.has_failed = shim.is_recording = false;
    shim.fail_all[0] = shim.hold[0] = '\0';
    shim.is_short = false;
    shim.sync_delay_us = shim.n_held = 0;
    snprintf(shim.folder, sizeof(shim.folder), "%s", folder);
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail(unsigned nth, int error)
{
    pthread_mutex_lock(&shim.lock);
    shim.fail_at = nth ? shim.n_calls + nth : 0;
    shim.error = error;
    shim.has_failed = shim.is_short; /* what its short write began */
    shim.is_short = false;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail_all(const char *line_start, int error)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.fail_all, sizeof(shim.fail_all), "%s", line_start ? line_start : "");
    shim.error_all = error;
    shim.has_failed = shim.is_once = false;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail_next(const char *line_start, int error)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.fail_all, sizeof(shim.fail_all), "%s", line_start);
    shim.error_all = error;
    shim.has_failed = false;
    shim.is_once = true;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_fail_short(unsigned nth)
{
    io_shim_fail(nth, EIO);
    pthread_mutex_lock(&shim.lock);
    shim.is_short = true;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_delay_syncs(unsigned microseconds)
{
    shim.sync_delay_us = microseconds;
}

void io_shim_hold(const char *line_start)
{
    pthread_mutex_lock(&shim.lock);
    snprintf(shim.hold, sizeof(shim.hold), "%s", line_start ? line_start : "");
    pthread_cond_broadcast(&shim.changed);
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_wait_held(void)
{
    pthread_mutex_lock(&shim.lock);
    while (shim.n_held == 0)
        pthread_cond_wait(&shim.changed, &shim.lock);
    shim.n_held = 0;
    pthread_mutex_unlock(&shim.lock);
}

bool io_shim_has_failed(void)
{
    bool has_failed;

    pthread_mutex_lock(&shim.lock);
    has_failed = shim.has_failed;
    pthread_mutex_unlock(&shim.lock);
    return has_failed;
}

unsigned io_shim_n_calls(void)
{
    unsigned n_calls;

    pthread_mutex_lock(&shim.lock);
    n_calls = shim.n_calls;
    pthread_mutex_unlock(&shim.lock);
    return n_calls;
}

void io_shim_record(void)
{
    pthread_mutex_lock(&shim.lock);
    shim.is_recording = true;
    pthread_mutex_unlock(&shim.lock);
}

void io_shim_note(const char *text)
{
    pthread_mutex_lock(&shim.lock);
    if (shim.is_recording)
        add_call(IO_NOTE, text);
    pthread_mutex_unlock(&shim.lock);
}

const struct io_call *io_shim_calls(size_t *n)
{
    *n = shim.n_recorded;
    return shim.calls;
}
