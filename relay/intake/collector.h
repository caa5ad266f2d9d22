/* A message on its way in: holds the header block until it ends, then lays down what is stored
 * (trace on top, Bcc gone) and the body behind it, in memory while it is short, in a file of the
 * spool's when it grows beyond 256 KiB or the memory of all sessions is spent.
 * Thread: the session's loop; private to relay/intake. */
#pragma once

#include "relay/intake/message_memory.h"
#include "relay/message/header.h"
#include "relay/spool/queue_id.h"
#include "relay/spool/spool.h"

enum {
    COLLECTOR_MEMORY_BYTES = 256 * 1024, /* of one session */
    COLLECTOR_FACTS_BYTES = 512 * 1024,
};

enum collector_problem {
    COLLECTOR_FINE,
    COLLECTOR_HEADER_TOO_LONG, /* 552 5.3.4 */
    COLLECTOR_NO_MEMORY,       /* 451 4.3.0 */
    COLLECTOR_NO_SPACE,        /* 452 4.3.1 */
    COLLECTOR_DISK_FAILED,     /* 451 4.3.0 */
};

/* What the session tells when the header has ended: how it would be trace-marked. */
struct collector_owner {
    void *owner;
    void (*add_trace)(void *owner, struct buffer *out); /* appends the Received field */
    void (*on_written)(void *owner); /* a wait that collector_add() or _close() began is over */
    const char *hostname;            /* of a Message-ID that we must make */
};

struct collector {
    uint64_t id;
    char id_text[QUEUE_ID_SIZE];
    enum collector_problem problem; /* the first; then everything is swallowed */
    struct header_facts facts;      /* valid once has_header */
    bool has_header, has_eight_bit_body;
    uint32_t header_bytes; /* as stored */

    /* Private. */
    const struct collector_owner *owner;
    struct spool *spool;
    struct mailbox *mailbox;
    struct message_memory *memory;
    uint64_t memory_taken;
    struct arena arena; /* of the facts */
    struct buffer header, message;
    struct spool_large *large;
    struct spool_large_request request;
    struct slice piece;
    bool is_writing, is_open;
};

void collector_begin(struct collector *collector, const struct collector_owner *owner,
                     struct spool *spool, struct mailbox *mailbox, struct message_memory *memory);

/* Takes clean CRLF octets.  False: bytes are being written; add no more until on_written(). */
MUST_USE bool collector_add(struct collector *collector, struct slice chunk);

/* The body has ended.  False: the rest is being written; on_written() tells. */
MUST_USE bool collector_close(struct collector *collector);

/* Describes the stored bytes in append, whose other fields are the caller's.  The spool owns the
 * file from then on. */
void collector_hand_over(struct collector *collector, struct spool_append *append);

/* Drops what was collected.  True: all gone; false: on_written() will tell when it is. */
MUST_USE bool collector_drop(struct collector *collector);
