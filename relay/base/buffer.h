/* Growable bytes with one owner.  Growth that fails (memory, or the buffer's own bound) leaves the
 * contents as they were and is remembered: a row of appends needs one check at the end.
 * Thread: the owner's. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct buffer {
    char *data;
    size_t len;      /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* bytes it may ever hold; 0: no bound of its own */
    bool failed;     /* an append did not fit; cleared by buffer_clear() */
};

#define BUFFER_INIT ((struct buffer){0})

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);
#define buffer_cleanup buffer_fini

/* Empties it and keeps its memory; buffer_fini() gives that back. */
void buffer_clear(struct buffer *buffer);

/* Room for more bytes behind the last; 0 or -ENOMEM. */
MUST_USE int buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, struct slice bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_byte(struct buffer *buffer, char byte);
void buffer_append_number(struct buffer *buffer, int64_t number); /* in decimal */
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Fixed-width little-endian numbers and length-prefixed bytes: how records are laid out. */
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer, uint16_t value);
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_append_counted(struct buffer *buffer, struct slice bytes); /* u32 length, bytes */

/* Removes the first n bytes. */
void buffer_consume(struct buffer *buffer, size_t n);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->len};
}

/* 0, or -ENOMEM when an append since the last buffer_clear() did not fit. */
MUST_USE int buffer_error(const struct buffer *buffer);

/* Reads what the appends above wrote.  When the bytes end too early a read gives zero or nothing
 * and sets failed; a row of reads needs one check at the end. */
struct reader {
    struct slice rest;
    bool failed;
};

uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
struct slice reader_counted(struct reader *reader); /* looks into the reader's bytes */
