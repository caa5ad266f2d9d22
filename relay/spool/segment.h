/* One append-only file of message bytes, of a fixed, preallocated size, used again when nothing in
 * it is wanted any more.  The database says what a message is, a segment what it contains.  Bytes
 * are written and synced before the row that points at them, so a crash leaves unreferenced bytes
 * at worst, never a dangling row.
 * Thread: one writer (the spool thread); n_leases any. */
#pragma once

#include <stdatomic.h>

#include "relay/spool/io.h"
#include "relay/spool/record.h"
#include "relay/spool/stored.h"

enum {
    SEGMENT_NAME_SIZE = 16,
    SEGMENT_HEADER_BYTES = 64,
    SEGMENT_FULL = 1, /* the one result a caller must handle itself */
};

enum segment_use {
    SEGMENT_GONE,      /* no file; the struct stays, a late reader may look at its lease count */
    SEGMENT_FREE,      /* may be written from its start */
    SEGMENT_ACTIVE,    /* new records go here */
    SEGMENT_SEALED,    /* read only, but for marks */
    SEGMENT_ABANDONED, /* a write or sync failed: never written, synced or used again */
};

struct segment {
    uint32_t id; /* from 1 */
    uint32_t generation;
    enum segment_use use;
    int fd;              /* ours, for writing */
    int read_fd;         /* for views and the signer */
    uint64_t size, tail; /* bytes; tail: where the next record goes */
    bool is_dirty;       /* written since the last sync */
    bool has_damage;     /* compaction met a bad record: left as it is */
    atomic_uint n_leases;
    uint32_t n_live, n_dead; /* messages in the list: with and without a row */
    uint64_t live_bytes;
    struct stored *first; /* linked by next_in_segment; a reference each */
};

void segment_name(uint32_t id, char out[SEGMENT_NAME_SIZE]);

/* Makes the file, size bytes of it reserved (and zeroed when is_zeroed: later writes then cost no
 * journal), synced; the folder is the caller's to sync.  Left behind by a crash: taken over. */
MUST_USE int segment_create(struct segment **out, const struct io *io, int dir_fd, uint32_t id,
                            uint64_t size, bool is_zeroed);

/* Opens one that is there; an unreadable header only loses its generation. */
MUST_USE int segment_open(struct segment **out, const struct io *io, int dir_fd, uint32_t id);

void segment_close(struct segment *segment);           /* the files; the struct stays */
struct segment *segment_free(struct segment *segment); /* accepts NULL, returns NULL */

/* From the start, with a new generation.  0 or -errno. */
MUST_USE int segment_start(struct segment *segment, const struct io *io);

/* Appends a record; fills in its place and generation.  Between pieces[0] and pieces[n - 1], which
 * are for the record's header and its end, lie the envelope and, unless the record is large, header
 * and body.  pieces[n - 1] may point at marks to be kept, padding included; else its base is NULL.
 * 0, SEGMENT_FULL, or -errno.  Durable after segment_sync(). */
MUST_USE int segment_append(struct segment *segment, const struct io *io, struct record *record,
                            struct iovec *pieces, int n_pieces);

/* fdatasync.  After an error the file must be abandoned, not synced again: the kernel reports a
 * lost page once. */
MUST_USE int segment_sync(struct segment *segment, const struct io *io);
