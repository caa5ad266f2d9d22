/* A message too long for memory: its bytes grow in a file of their own, large/ID, and its record
 * in a segment names them.
 * Thread: the spool thread. */
#pragma once

#include "relay/base/slice.h"
#include "relay/spool/io.h"
#include "relay/spool/queue_id.h"

struct spool_large {
    uint64_t id;
    int fd;
    uint64_t bytes;
    uint32_t crc; /* CRC-32C of what was written */
    int error;    /* the first; the file can then only be abandoned */
};

/* A new file of that id; its name is durable after the folder's sync. */
MUST_USE int large_open(struct spool_large **out, const struct io *io, int dir_fd, uint64_t id);
MUST_USE int large_write(struct spool_large *large, const struct io *io, const struct slice *pieces,
                         uint32_t n_pieces);
MUST_USE int large_sync(struct spool_large *large, const struct io *io);

struct spool_large *large_close(struct spool_large *large); /* accepts NULL, returns NULL */
void large_abandon(struct spool_large *large, const struct io *io, int dir_fd); /* closes too */
void large_remove(const struct io *io, int dir_fd, uint64_t id);

/* Removes every file whose id is not among the n sorted ids. */
MUST_USE int large_remove_orphans(const struct io *io, int dir_fd, const uint64_t *ids, size_t n);
