/* Eight octets at a time, or sixteen: what a search over whole messages can afford.
 * Thread: any; pure. */
#pragma once

#include <stdint.h>
#include <string.h>

enum { OCTETS_WORD = sizeof(uint64_t) };

#define OCTETS_LOW  0x0101010101010101ULL
#define OCTETS_HIGH 0x8080808080808080ULL

static inline uint64_t octets_load(const char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

/* High bits where octets of word are c.  Nothing is missed; above the first hit (in memory order on
 * a little-endian machine, below it on others) it may err, as the borrow of the subtraction moves
 * on: who needs to know which octet it was looks at them one by one. */
static inline uint64_t octets_equal(uint64_t word, char c)
{
    uint64_t zeros = word ^ (OCTETS_LOW * (unsigned char)c);

    return (zeros - OCTETS_LOW) & ~zeros & OCTETS_HIGH;
}

/* How many octets lie before the first hit, at least: none can lie before them. */
static inline unsigned octets_before(uint64_t hits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (unsigned)__builtin_ctzll(hits) / 8;
#else
    return 0;
#endif
}

/* Sixteen at a time, in the vectors that every processor of ours has: to get quickly near what is
 * searched; a comparison's octets are all ones where it holds. */
enum { OCTETS_VECTOR = 16 };

typedef signed char octets_vector __attribute__((vector_size(OCTETS_VECTOR)));

static inline octets_vector octets_load_vector(const char *data)
{
    octets_vector vector;

    memcpy(&vector, data, sizeof(vector));
    return vector;
}

static inline uint64_t octets_or(octets_vector vector)
{
    uint64_t halves[2];

    memcpy(halves, &vector, sizeof(halves));
    return halves[0] | halves[1];
}
