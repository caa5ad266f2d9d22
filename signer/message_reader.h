/* Reads one stored message from a descriptor: the header block whole, then the body in pieces, and
 * checks at the end that these are the bytes that were stored.  A message that fits one chunk costs
 * one pread().  Thread: the owner's. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum { MESSAGE_CHUNK_BYTES = 131072, MESSAGE_HEADER_MAX = 1048576 };

struct message_reader {
    int fd; /* the caller's */
    uint64_t offset, left;
    uint32_t crc, wanted_crc; /* CRC-32C so far, and of the whole */
    struct buffer head;       /* the header block and what was read with it */
    struct buffer chunk;      /* what was read last, later on */
    struct slice rest;        /* read, not handed out yet */
};

#define MESSAGE_READER_INIT ((struct message_reader){.fd = -1})

/* Starts on a message; buffers of an earlier one are used again. */
void message_reader_start(struct message_reader *reader, int fd, uint64_t offset, uint64_t length,
                          uint32_t crc);
void message_reader_fini(struct message_reader *reader);

/* First: the header block without the empty line behind it (all, when there is none), good until
 * the next start.  0, -EFBIG: above MESSAGE_HEADER_MAX; -EILSEQ: the file ends too early; or
 * another -errno. */
MUST_USE int message_reader_header(struct message_reader *reader, struct slice *out);

/* Then: 1 and a piece of the body, good until the next call; 0 at the end of a message whose CRC
 * is right; -EILSEQ: damaged; or another -errno. */
MUST_USE int message_reader_body(struct message_reader *reader, struct slice *out);
