/* Eight octets at a time: what a search over whole messages can afford.
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
