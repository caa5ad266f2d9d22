#include "relay/spool/space.h"

#include <errno.h>
#include <fcntl.h>

#include "relay/base/event.h"

static const char reserve_name[] = "reserve";

static const int64_t NEVER_MS = INT64_MIN / 2;

/* In a second a fast disk takes more than the watermark holds back, so the edge is watched closely;
 * room that comes and goes must not fill the log. */
enum { CHECK_EVERY_MS = 20, CHECK_FULL_EVERY_MS = 1000 };
enum { MOST_RESERVE_BYTES = 64000000, MIN_FREE_BYTES = 100000000 };

void space_init(struct space *space, const struct io *io, int dir_fd, uint64_t min_free_bytes,
                unsigned min_free_inodes_percent, uint64_t reserve_bytes)
{
    *space = (struct space){
        .io = io,
        .dir_fd = dir_fd,
        .min_free_bytes = min_free_bytes ? min_free_bytes : MIN_FREE_BYTES,
        .min_free_inodes_percent = min_free_inodes_percent ? min_free_inodes_percent : 5,
        .reserve_bytes = reserve_bytes,
        .checked_ms = NEVER_MS,
    };
}

void space_set_min_free(struct space *space, uint64_t bytes)
{
    atomic_store(&space->min_free_bytes, bytes ? bytes : (uint64_t)MIN_FREE_BYTES);
}

static bool lacks_inodes(const struct space *space, const struct statvfs *now)
{
    /* Some file systems make inodes as they need them and count none. */
    return now->f_files != 0 &&
           (uint64_t)now->f_favail * 100 < (uint64_t)now->f_files * space->min_free_inodes_percent;
}

static void set_full(struct space *space, bool is_full)
{
    int64_t free_bytes = (int64_t)atomic_load(&space->free_bytes);

    if (atomic_exchange(&space->is_full, is_full) == is_full)
        return;
    if (is_full)
        EVENT(EVENT_SPACE_LOW, field_number("free", free_bytes));
    else
        EVENT(EVENT_SPACE_OK, field_number("free", free_bytes));
}

static void make_reserve(struct space *space, const struct statvfs *now)
{
    uint64_t bytes = space->reserve_bytes, disk = (uint64_t)now->f_blocks * now->f_frsize;
    int error, fd;

    if (bytes == 0)
        bytes = disk / 100 < MOST_RESERVE_BYTES ? disk / 100 : MOST_RESERVE_BYTES;
    fd = space->io->open(space->dir_fd, reserve_name, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        return;
    error = space->io->allocate(fd, bytes);
    close(fd);
    if (error)
        (void)space->io->remove(space->dir_fd, reserve_name);
    space->has_reserve = error == 0;
}

void space_check(struct space *space, int64_t now_ms)
{
    struct statvfs now;
    uint64_t free_bytes;

    if (now_ms - space->checked_ms <
        (atomic_load(&space->is_full) ? CHECK_FULL_EVERY_MS : CHECK_EVERY_MS))
        return;
    space->checked_ms = now_ms;
    /* Not knowing is no reason to refuse: a full disk also shows at the write. */
    if (space->io->space(space->dir_fd, &now) < 0)
        return;
    free_bytes = (uint64_t)now.f_bavail * now.f_frsize;
    atomic_store(&space->free_bytes, free_bytes);
    set_full(space, free_bytes < atomic_load(&space->min_free_bytes) || lacks_inodes(space, &now));
    if (!space->has_reserve && !atomic_load(&space->is_full))
        make_reserve(space, &now);
}

void space_note_full(struct space *space)
{
    set_full(space, true);
    space->checked_ms = NEVER_MS; /* the next group looks again */
}

bool space_use_reserve(struct space *space)
{
    if (!space->has_reserve)
        return false;
    space->has_reserve = false;
    set_full(space, true);
    return space->io->remove(space->dir_fd, reserve_name) == 0;
}
