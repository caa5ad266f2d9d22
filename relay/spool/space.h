/* How full the disk is, and the reserve that keeps room for verdicts when others fill it.
 * Thread: the spool thread; is_full and space_set_min_free() any. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "relay/spool/io.h"

struct space {
    const struct io *io;
    int dir_fd;                      /* the spool's folder; the spool's */
    _Atomic uint64_t min_free_bytes; /* any thread sets it */
    uint64_t reserve_bytes;
    unsigned min_free_inodes_percent;
    int64_t checked_ms; /* monotonic */
    atomic_bool is_full;
    _Atomic uint64_t free_bytes;
    bool has_reserve;
};

/* Zeros of the limits mean the defaults of spool_settings. */
void space_init(struct space *space, const struct io *io, int dir_fd, uint64_t min_free_bytes,
                unsigned min_free_inodes_percent, uint64_t reserve_bytes);

/* Counts from the next look on; 0: the default. */
void space_set_min_free(struct space *space, uint64_t bytes);

/* Looks at the disk unless it did within the last 20 ms (a second when it is full); makes the
 * reserve when there is room. */
void space_check(struct space *space, int64_t now_ms);

/* A write found no room: new mail is refused until a later look finds it. */
void space_note_full(struct space *space);

/* Gives the reserve's blocks to a verdict; false when there is none left. */
bool space_use_reserve(struct space *space);
