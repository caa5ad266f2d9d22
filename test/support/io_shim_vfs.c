#include "test/support/io_shim_layer.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

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
    int error = io_shim_count(IO_WRITE, file_of(file)->path), result;

    if (error && io_shim_is_short()) /* what SQLite's own layer makes of a short write */
        (void)real_of(file)->pMethods->xWrite(real_of(file), data, n / 2, offset);
    if (error)
        return code_of(error, SQLITE_IOERR_WRITE);
    result = real_of(file)->pMethods->xWrite(real_of(file), data, n, offset);
    if (result == SQLITE_OK)
        io_shim_keep(IO_WRITE, file_of(file)->path, (uint64_t)offset, data, (size_t)n, NULL);
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int error = io_shim_count(IO_SIZE, file_of(file)->path), result;

    if (error)
        return code_of(error, SQLITE_IOERR_TRUNCATE);
    result = real_of(file)->pMethods->xTruncate(real_of(file), size);
    if (result == SQLITE_OK)
        io_shim_keep(IO_SIZE, file_of(file)->path, (uint64_t)size, NULL, 0, NULL);
    return result;
}

static int file_sync(sqlite3_file *file, int flags)
{
    int error = io_shim_count(IO_SYNC, file_of(file)->path), result;

    if (error)
        return code_of(error, SQLITE_IOERR_FSYNC);
    io_shim_delay();
    result = real_of(file)->pMethods->xSync(real_of(file), flags);
    if (result == SQLITE_OK)
        io_shim_keep(IO_SYNC, file_of(file)->path, 0, NULL, 0, NULL);
    if (result == SQLITE_OK && file_of(file)->syncs_folder) {
        file_of(file)->syncs_folder = false;
        io_shim_keep(IO_SYNC_DIR, io_shim_folder(), 0, NULL, 0, NULL);
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

/* sql/db.c makes a database's file before SQLite opens it, for its mode. */
static bool is_new_name(const char *name)
{
    struct stat status;

    return name && (stat(name, &status) < 0 || status.st_size == 0);
}

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct shim_file *shim_file = file_of(file);
    bool is_new = is_new_name(name);
    int error = io_shim_count(IO_CREATE, name), result;

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
        io_shim_keep(IO_CREATE, name, 0, NULL, 0, NULL);
    return result;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int syncs_folder)
{
    int error = io_shim_count(IO_REMOVE, name), result;

    (void)self;
    if (error)
        return code_of(error, SQLITE_IOERR_DELETE);
    result = real_vfs->xDelete(real_vfs, name, syncs_folder);
    if (result == SQLITE_OK)
        io_shim_keep(IO_REMOVE, name, 0, NULL, 0, NULL);
    if (result == SQLITE_OK && syncs_folder)
        io_shim_keep(IO_SYNC_DIR, io_shim_folder(), 0, NULL, 0, NULL);
    return result;
}

static sqlite3_vfs vfs;

void io_shim_register_vfs(void)
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

void io_shim_be_default(bool is_default)
{
    io_shim_register_vfs();
    sqlite3_vfs_register(is_default ? &vfs : real_vfs, 1);
}
