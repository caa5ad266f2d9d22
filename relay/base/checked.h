/* Arithmetic on sizes that a peer had a say in: false instead of a wrapped result.
 * Exim CVE-2020-28017 and -28020 were sums of lengths that nobody checked.
 * Thread: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool checked_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline bool checked_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}
