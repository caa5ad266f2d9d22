/* Bytes that somebody else owns: a pointer and a length, never NUL-terminated, often with NULs
 * inside.  A value: copy it freely; it is good as long as the bytes it looks at.
 * Thread: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data;
    size_t len; /* bytes */
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline struct slice slice_from(const void *data, size_t len)
{
    return (struct slice){data, len};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline struct slice slice_head(struct slice whole, size_t len)
{
    return (struct slice){whole.data, len < whole.len ? len : whole.len};
}

static inline struct slice slice_skip(struct slice whole, size_t len)
{
    if (len > whole.len)
        len = whole.len;
    /* Nothing may be added to a null pointer, not even nothing. */
    return len ? (struct slice){whole.data + len, whole.len - len} : whole;
}

/* ASCII only: names of commands, headers and domains; locale plays no part. */
bool slice_equal_ignoring_case(struct slice a, struct slice b);
bool slice_starts_with(struct slice whole, struct slice start);
bool slice_starts_with_ignoring_case(struct slice whole, struct slice start);
bool slice_ends_with_ignoring_case(struct slice whole, struct slice end);

/* Position of the first (last) byte c, or -1. */
ptrdiff_t slice_find(struct slice whole, char c);
ptrdiff_t slice_find_last(struct slice whole, char c);

/* Position of the first occurrence of part, or -1. */
ptrdiff_t slice_search(struct slice whole, struct slice part);

/* Without blanks and tabs (CR and LF too) at both ends. */
struct slice slice_trim(struct slice whole);

/* Decimal digits only, no sign, nothing behind; false when empty, malformed or above max. */
bool slice_to_number(struct slice digits, uint64_t max, uint64_t *out);

/* A NUL-terminated copy from malloc(), or NULL without memory. */
char *slice_to_string(struct slice slice);

/* Copies at most size - 1 bytes and ends them with NUL; false when it had to cut. */
bool slice_copy_to(struct slice slice, char *out, size_t size);

static inline char ascii_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}
