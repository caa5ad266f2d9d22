/* Many small things of one size, numbered: 32-bit numbers instead of pointers keep an entry of the
 * queue within 48 bytes, and walking all of them is walking memory in order.  A freed number is
 * used again.  Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/base/fault.h"

enum { POOL_BLOCK_BYTES = 64 * 1024, POOL_NONE = UINT32_MAX };

struct pool {
    char **blocks; /* each aligned to its size, so an item finds its block */
    uint32_t n_blocks, capacity_blocks;
    uint32_t item_bytes, per_block;
    uint32_t n_items;    /* in use */
    uint32_t n_numbers;  /* ever given out: numbers are below this */
    uint32_t first_free; /* a freed item holds the next free number in its first bytes */
};

void pool_init(struct pool *pool, uint32_t item_bytes);
void pool_fini(struct pool *pool);

/* A zeroed item, or NULL without memory. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *item);

uint32_t pool_number(const struct pool *pool, const void *item);

/* number was given out once; whether it is in use, the item itself must say. */
static inline void *pool_at(const struct pool *pool, uint32_t number)
{
    return pool->blocks[number / pool->per_block] + sizeof(uint64_t) +
           (size_t)(number % pool->per_block) * pool->item_bytes;
}
