/* All segments of a spool: which one takes the next record, which can be used again, and the
 * leases that keep bytes in place while somebody reads them.
 * Thread: the spool thread; segments_lease() and segments_release() any, without a lock. */
#pragma once

#include "relay/spool/segment.h"

enum { SEGMENTS_MAX = 1 << 16, SEGMENTS_KEEP_FREE = 4 };

struct segments {
    const struct io *io;
    int dir_fd;
    uint64_t segment_bytes;
    struct segment *active;
    uint32_t next_id;  /* above all that were used */
    uint32_t spare_id; /* being made by another thread, or 0 */
    uint32_t n_files, n_free;
    bool is_folder_dirty;             /* a name was made or removed */
    bool has_abandoned;               /* since the start: pages may be gone from the cache */
    _Atomic(struct segment *) *slots; /* by id; a struct stays until segments_fini() */
};

/* Opens what dir_fd holds (taken: closed by segments_fini()); nothing is active yet. */
MUST_USE int segments_init(struct segments *set, const struct io *io, int dir_fd,
                           uint64_t segment_bytes);
void segments_fini(struct segments *set);

static inline struct segment *segments_find(const struct segments *set, uint32_t id)
{
    return id < SEGMENTS_MAX ? atomic_load(&set->slots[id]) : NULL;
}

/* Appends to the active segment, going on to the next when it is full; as segment_append().
 * -EFBIG: larger than a segment; -ENOSPC, -EIO. */
MUST_USE int segments_append(struct segments *set, struct record *record, struct iovec *pieces,
                             int n_pieces);

/* Syncs every segment written since the last time, and the folder of their names.  Segments that
 * fail are abandoned (segments_is_sound()); an error of the folder is put into *folder_error.
 * Returns how many files were synced. */
unsigned segments_sync(struct segments *set, int *folder_error);

/* Whether what was written into the segment of place is durable, after segments_sync(). */
bool segments_is_sound(const struct segments *set, uint64_t place);

/* ---- after COMMIT ---- */

/* No message is known to lie in any of them; at a start that begins anew. */
void segments_forget(struct segments *set);

/* The message has a row now: takes a reference, counts its bytes. */
void segments_add(struct segments *set, struct stored *stored);

/* Its last row is gone: readers find no place any more. */
void segments_remove(struct segments *set, struct stored *stored);

/* It lies elsewhere now (compaction took it off the old segment's list). */
void segments_move(struct segments *set, struct stored *stored, uint64_t place);

/* Frees segments that hold no rows and no leases; removes those beyond SEGMENTS_KEEP_FREE. */
void segments_recycle(struct segments *set);

/* ---- a new one, made by another thread ---- */

/* The id for a segment to be made now, or 0 when there are enough. */
uint32_t segments_reserve_spare(struct segments *set);
void segments_add_spare(struct segments *set, struct segment *segment); /* taken */
void segments_return_spare(struct segments *set);                       /* could not be made */

/* ---- readers ---- */

/* 0 (*segment is leased), -ENOENT: finished, -EBADMSG: there is no such segment. */
MUST_USE int segments_lease(const struct segments *set, const struct stored *stored,
                            struct segment **segment, uint64_t *place);
void segments_release(const struct segments *set, uint64_t place);

/* At start, when all rows are known: what nothing points at is free, the rest is sealed. */
void segments_settle(struct segments *set);

/* Record bytes of a message, header and marks included. */
uint64_t segments_bytes_of(const struct stored *stored);
