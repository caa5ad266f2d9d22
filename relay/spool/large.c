#include "relay/spool/large.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "relay/base/crc32c.h"

int large_open(struct spool_large **out, const struct io *io, int dir_fd, uint64_t id)
{
    struct spool_large *large = calloc(1, sizeof(*large));
    char name[QUEUE_ID_SIZE];

    if (!large)
        return FAULT(-ENOMEM);
    queue_id_format(id, name);
    large->id = id;
    large->fd = io->open(dir_fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (large->fd < 0) {
        int error = large->fd;

        free(large);
        return FAULT(error);
    }
    *out = large;
    return 0;
}

enum { AT_ONCE = 64 };

static int write_some(struct spool_large *large, const struct io *io, const struct slice *pieces,
                      uint32_t n_pieces)
{
    struct iovec vector[AT_ONCE];
    uint64_t bytes = 0;
    int error;

    for (uint32_t i = 0; i < n_pieces; i++) {
        vector[i] = (struct iovec){(void *)pieces[i].data, pieces[i].len};
        large->crc = crc32c(large->crc, pieces[i]);
        bytes += pieces[i].len;
    }
    error = io_write_all(io, large->fd, vector, (int)n_pieces, large->bytes);
    large->bytes += bytes;
    return error;
}

int large_write(struct spool_large *large, const struct io *io, const struct slice *pieces,
                uint32_t n_pieces)
{
    while (!large->error && n_pieces > 0) {
        uint32_t n_now = n_pieces < AT_ONCE ? n_pieces : AT_ONCE;

        large->error = write_some(large, io, pieces, n_now);
        pieces += n_now;
        n_pieces -= n_now;
    }
    return large->error;
}

int large_sync(struct spool_large *large, const struct io *io)
{
    if (!large->error)
        large->error = io->data_sync(large->fd);
    return large->error;
}

struct spool_large *large_close(struct spool_large *large)
{
    if (large) {
        close(large->fd);
        free(large);
    }
    return NULL;
}

void large_remove(const struct io *io, int dir_fd, uint64_t id)
{
    char name[QUEUE_ID_SIZE];

    queue_id_format(id, name);
    (void)io->remove(dir_fd, name); /* an orphan is removed at the next start */
}

void large_abandon(struct spool_large *large, const struct io *io, int dir_fd)
{
    large_remove(io, dir_fd, large->id);
    large_close(large);
}

static bool is_among(uint64_t id, const uint64_t *ids, size_t n)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ids[low] == id;
}

int large_remove_orphans(const struct io *io, int dir_fd, const uint64_t *ids, size_t n)
{
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list_fd < 0 ? NULL : fdopendir(list_fd);
    const struct dirent *entry;
    uint64_t id;

    if (!folder) {
        int error = FAULT(-errno);

        close_fd_cleanup(&list_fd);
        return error;
    }
    while ((entry = readdir(folder))) {
        if (queue_id_parse(slice_of(entry->d_name), &id) && !is_among(id, ids, n))
            large_remove(io, dir_fd, id);
    }
    closedir(folder);
    return 0;
}
