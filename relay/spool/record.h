/* How one message lies in a segment:
 *
 *     header (64) | envelope | stored bytes, unless they have a file of their own | one mark per
 *     recipient | padding to 8
 *
 * All numbers little-endian.  The header names its own segment, offset and generation, so neither
 * a leftover of the segment's earlier use nor a block that came back from the wrong place passes
 * for a record.  A mark says how far the recipient has come (marks.h).
 * Thread: values; any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"

enum {
    RECORD_HEADER_BYTES = 64,
    RECORD_ALIGNMENT = 8,
    RECORD_MAGIC = 0x53464654, /* "TFFS" */
    RECORD_LARGE = 1,          /* flag: the stored bytes are in large/ID */
};

struct record {
    uint64_t id;
    uint64_t place; /* stored.h */
    uint32_t generation;
    uint32_t flags;
    uint32_t envelope_bytes, envelope_crc;
    uint32_t header_bytes, body_bytes;
    uint32_t crc; /* of header and body */
    uint32_t n_recipients;
};

void record_encode(const struct record *record, uint8_t out[RECORD_HEADER_BYTES]);

/* 0, or -EBADMSG when these are not the bytes of a record's header. */
MUST_USE int record_decode(struct record *out, const uint8_t bytes[RECORD_HEADER_BYTES]);

/* Header and body inside the record: 0 for a large one. */
static inline uint64_t record_inline_bytes(const struct record *record)
{
    return record->flags & RECORD_LARGE ? 0 : (uint64_t)record->header_bytes + record->body_bytes;
}

/* From the start of the record to its marks. */
static inline uint64_t record_marks_offset(const struct record *record)
{
    return RECORD_HEADER_BYTES + (uint64_t)record->envelope_bytes + record_inline_bytes(record);
}

/* The whole record, padding included. */
static inline uint64_t record_bytes(const struct record *record)
{
    uint64_t bytes = record_marks_offset(record) + record->n_recipients;

    return (bytes + RECORD_ALIGNMENT - 1) & ~(uint64_t)(RECORD_ALIGNMENT - 1);
}
