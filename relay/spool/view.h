/* Reading a message's bytes while segments are recycled and compacted around it.
 * Thread: any, without a lock; a view is a value with one holder. */
#pragma once

#include <stddef.h>

#include "relay/base/mailbox.h"
#include "relay/spool/envelope.h"
#include "relay/spool/stored.h"

struct spool;

/* A lease: these bytes stay where they are until spool_release(). */
struct spool_view {
    int fd; /* opened read-only; hand it to the signer, never close it */
    uint32_t generation;
    uint64_t offset; /* of the header block; the body follows it */
    uint64_t length; /* header and body */
    uint32_t header_bytes;
    uint32_t crc; /* CRC-32C of those length bytes: check it before a final dot goes out */
    /* the spool's */
    int record_fd;
    bool owns_fd;
    uint32_t envelope_bytes;
    uint64_t place, id;
};

/* Lock-free, any thread.  0; -ENOENT: the message is finished; -EBADMSG: its bytes are lost. */
MUST_USE int spool_lease(struct spool *spool, const struct stored *stored, struct spool_view *view);
void spool_release(struct spool *spool, struct spool_view *view);

/* Reads at most length bytes from position (0: start of the header block), without blocking:
 * bytes read, -EAGAIN when they are not in memory (spool_fetch() them), -EBADMSG when cut short. */
MUST_USE int64_t spool_read(const struct spool_view *view, uint64_t position, void *out,
                            size_t length);

/* The envelope, checked; decoded slices look into *buffer.  0, -EAGAIN, -EBADMSG, -ENOMEM. */
MUST_USE int spool_read_envelope(const struct spool_view *view, struct buffer *buffer,
                                 struct arena *arena, struct envelope *out);

/* Brings a view's bytes into memory, on a thread that may block; verifies the CRC on the way. */
struct spool_fetch {
    struct task task; /* first */
    struct mailbox *answer_to;
    void (*done)(struct spool_fetch *fetch);
    const struct spool_view *view;
    int result;          /* 0, -EIO, -EBADMSG (EVENT_RECORD_DAMAGED was raised) */
    struct spool *spool; /* the spool's */
};
MUST_USE bool spool_fetch(struct spool *spool, struct spool_fetch *fetch);

/* Whoever finds that bytes and CRC disagree says so here; the message is then held, not sent. */
void spool_report_damaged(const struct stored *stored, const char *found_by);
