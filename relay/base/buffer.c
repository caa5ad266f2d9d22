#include "relay/base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/checked.h"

enum { SMALLEST_ALLOCATION = 256 };

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

static bool fits(const struct buffer *buffer, size_t wanted)
{
    return buffer->limit == 0 || wanted <= buffer->limit;
}

static int grow(struct buffer *buffer, size_t wanted)
{
    size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST_ALLOCATION;
    char *data;

    while (capacity < wanted)
        if (!checked_multiply(capacity, 2, &capacity))
            return -ENOMEM;
    data = realloc(buffer->data, capacity);
    if (!data)
        return -ENOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t wanted;

    if (!checked_add(buffer->len, more, &wanted) || !fits(buffer, wanted))
        return -ENOMEM;
    return wanted <= buffer->capacity ? 0 : grow(buffer, wanted);
}

void buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.len == 0 || buffer->failed)
        return;
    if (buffer_reserve(buffer, bytes.len) < 0) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len += bytes.len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, slice_of(text));
}

void buffer_append_byte(struct buffer *buffer, char byte)
{
    buffer_append(buffer, slice_from(&byte, 1));
}

void buffer_append_number(struct buffer *buffer, int64_t number)
{
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char digits[24];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        digits[--at] = '-';
    buffer_append(buffer, slice_from(digits + at, sizeof(digits) - at));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    char text[1024];
    char *longer = text;
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(text, sizeof(text), format, args);
    if (len >= (int)sizeof(text) && vasprintf(&longer, format, again) < 0)
        len = -1;
    va_end(again);
    va_end(args);
    if (len < 0) {
        buffer->failed = true;
        return;
    }
    buffer_append(buffer, slice_from(longer, (size_t)len));
    if (longer != text)
        free(longer);
}

static void append_little_endian(struct buffer *buffer, uint64_t value, size_t n_bytes)
{
    char bytes[8];

    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (char)(value >> (8 * i));
    buffer_append(buffer, slice_from(bytes, n_bytes));
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    append_little_endian(buffer, value, 1);
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
    append_little_endian(buffer, value, 2);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
    append_little_endian(buffer, value, 4);
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    append_little_endian(buffer, value, 8);
}

void buffer_append_counted(struct buffer *buffer, struct slice bytes)
{
    if (bytes.len > UINT32_MAX) {
        buffer->failed = true;
        return;
    }
    buffer_append_u32(buffer, (uint32_t)bytes.len);
    buffer_append(buffer, bytes);
}

void buffer_consume(struct buffer *buffer, size_t n)
{
    if (n >= buffer->len) {
        buffer->len = 0;
        return;
    }
    memmove(buffer->data, buffer->data + n, buffer->len - n);
    buffer->len -= n;
}

int buffer_error(const struct buffer *buffer)
{
    return buffer->failed ? -ENOMEM : 0;
}

static uint64_t read_little_endian(struct reader *reader, size_t n_bytes)
{
    uint64_t value = 0;

    if (reader->failed || reader->rest.len < n_bytes) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < n_bytes; i++)
        value |= (uint64_t)(unsigned char)reader->rest.data[i] << (8 * i);
    reader->rest = slice_skip(reader->rest, n_bytes);
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)read_little_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)read_little_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)read_little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return read_little_endian(reader, 8);
}

struct slice reader_counted(struct reader *reader)
{
    uint32_t len = reader_u32(reader);
    struct slice bytes = slice_head(reader->rest, len);

    if (reader->failed || bytes.len < len) {
        reader->failed = true;
        return (struct slice){0};
    }
    reader->rest = slice_skip(reader->rest, len);
    return bytes;
}
