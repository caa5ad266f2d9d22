#include "relay/base/slice.h"

#include <stdlib.h>

static bool equal_bytes_ignoring_case(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

bool slice_equal_ignoring_case(struct slice a, struct slice b)
{
    return a.len == b.len && equal_bytes_ignoring_case(a.data, b.data, a.len);
}

bool slice_starts_with(struct slice whole, struct slice start)
{
    return slice_equal(slice_head(whole, start.len), start);
}

bool slice_starts_with_ignoring_case(struct slice whole, struct slice start)
{
    return slice_equal_ignoring_case(slice_head(whole, start.len), start);
}

bool slice_ends_with_ignoring_case(struct slice whole, struct slice end)
{
    return whole.len >= end.len &&
           slice_equal_ignoring_case(slice_skip(whole, whole.len - end.len), end);
}

ptrdiff_t slice_find(struct slice whole, char c)
{
    const char *found = whole.len ? memchr(whole.data, c, whole.len) : NULL;

    return found ? found - whole.data : -1;
}

ptrdiff_t slice_find_last(struct slice whole, char c)
{
    const char *found = whole.len ? memrchr(whole.data, c, whole.len) : NULL;

    return found ? found - whole.data : -1;
}

ptrdiff_t slice_search(struct slice whole, struct slice part)
{
    const char *found;

    if (part.len == 0)
        return 0;
    found = whole.len ? memmem(whole.data, whole.len, part.data, part.len) : NULL;
    return found ? found - whole.data : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice whole)
{
    while (whole.len && is_blank(whole.data[0]))
        whole = slice_skip(whole, 1);
    while (whole.len && is_blank(whole.data[whole.len - 1]))
        whole.len--;
    return whole;
}

bool slice_to_number(struct slice digits, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(unsigned char)digits.data[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value) || value > max)
            return false;
    }
    *out = value;
    return true;
}

char *slice_to_string(struct slice slice)
{
    char *copy = malloc(slice.len + 1);

    if (!copy)
        return NULL;
    if (slice.len)
        memcpy(copy, slice.data, slice.len);
    copy[slice.len] = '\0';
    return copy;
}

bool slice_copy_to(struct slice slice, char *out, size_t size)
{
    size_t len = slice.len < size ? slice.len : size - 1;

    if (len)
        memcpy(out, slice.data, len);
    out[len] = '\0';
    return len == slice.len;
}
