/* One durable message, in memory: what the scheduler keeps per message, 72 bytes.  Immutable but
 * for its place, which compaction changes under the readers' eyes (spool_lease() copes), and what
 * is marked as somebody's.
 * Thread: any; reference counted. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/spool/envelope.h"

struct stored {
    struct stored *next_in_segment; /* the spool thread's */
    _Atomic uint64_t place;         /* segment and offset, packed; PLACE_NONE: finished */
    uint64_t id;
    int64_t arrived_utc_ms;
    atomic_uint n_references;
    uint32_t n_open; /* recipients not finished; the spool thread's */
    uint32_t life_s; /* seconds from arrival to expiry */
    uint32_t envelope_bytes, header_bytes, body_bytes;
    uint32_t crc; /* CRC-32C of header and body */
    uint32_t user_id;
    uint32_t sender_hash;          /* stored_hash() of the envelope sender */
    uint16_t flags;                /* enum message_flags */
    uint8_t class : 2;             /* enum message_class */
    bool is_large : 1;             /* the bytes are in a file of their own */
    bool is_open : 1;              /* its rows were born as RECIPIENT_OPEN */
    bool is_single : 1;            /* it has one recipient, of those that are not finished */
    atomic_bool has_told_unsigned; /* delivery's, on whichever loop: said once, not per attempt */
};

struct stored *stored_ref(struct stored *stored); /* returns it */
void stored_unref(struct stored *stored);         /* accepts NULL */

static inline int64_t stored_expires_utc_ms(const struct stored *stored)
{
    return stored->arrived_utc_ms + (int64_t)stored->life_s * 1000;
}

/* Header and body as the client may count them. */
static inline uint64_t stored_size(const struct stored *stored)
{
    return (uint64_t)stored->header_bytes + stored->body_bytes;
}

/* 32 bits of a keyed hash of an address or domain, letter case ignored; differs at every start.
 * Never 0, which stands for "any" in a selection. */
uint32_t stored_hash(struct slice address);

/* ---- places (used inside the spool) ---- */

enum { PLACE_NONE = 0, PLACE_OFFSET_BITS = 40 };

static inline uint64_t place_pack(uint32_t segment, uint64_t offset)
{
    return (uint64_t)segment << PLACE_OFFSET_BITS | offset;
}

static inline uint32_t place_segment(uint64_t place) /* from 1 */
{
    return (uint32_t)(place >> PLACE_OFFSET_BITS);
}

static inline uint64_t place_offset(uint64_t place)
{
    return place & (((uint64_t)1 << PLACE_OFFSET_BITS) - 1);
}
