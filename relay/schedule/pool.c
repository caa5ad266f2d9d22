#include "relay/schedule/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* A block starts with the number of its first item. */
enum { BLOCK_HEAD_BYTES = sizeof(uint64_t) };

void pool_init(struct pool *pool, uint32_t item_bytes)
{
    assert(item_bytes >= sizeof(uint32_t) && item_bytes % 8 == 0);
    *pool = (struct pool){
        .item_bytes = item_bytes,
        .per_block = (POOL_BLOCK_BYTES - BLOCK_HEAD_BYTES) / item_bytes,
        .first_free = POOL_NONE,
    };
}

void pool_fini(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->n_blocks; i++)
        free(pool->blocks[i]);
    free((void *)pool->blocks);
    *pool = (struct pool){.first_free = POOL_NONE};
}

static int add_block(struct pool *pool)
{
    uint64_t first_number = (uint64_t)pool->n_blocks * pool->per_block;
    char *block;

    if (first_number + pool->per_block >= POOL_NONE)
        return FAULT(-ENOMEM);
    if (pool->n_blocks == pool->capacity_blocks) {
        uint32_t capacity = pool->capacity_blocks ? pool->capacity_blocks * 2 : 16;
        char **blocks =
            (char **)reallocarray((void *)pool->blocks, capacity, sizeof(*pool->blocks));

        if (!blocks)
            return FAULT(-ENOMEM);
        pool->blocks = blocks;
        pool->capacity_blocks = capacity;
    }
    block = aligned_alloc(POOL_BLOCK_BYTES, POOL_BLOCK_BYTES);
    if (!block)
        return FAULT(-ENOMEM);
    memcpy(block, &first_number, sizeof(first_number));
    pool->blocks[pool->n_blocks++] = block;
    return 0;
}

static void *take_fresh(struct pool *pool)
{
    if (pool->n_numbers == pool->n_blocks * pool->per_block && add_block(pool) < 0)
        return NULL;
    return pool_at(pool, pool->n_numbers++);
}

void *pool_take(struct pool *pool)
{
    void *item;

    if (pool->first_free != POOL_NONE) {
        item = pool_at(pool, pool->first_free);
        memcpy(&pool->first_free, item, sizeof(pool->first_free));
    } else {
        item = take_fresh(pool);
        if (!item)
            return NULL;
    }
    pool->n_items++;
    return memset(item, 0, pool->item_bytes);
}

uint32_t pool_number(const struct pool *pool, const void *item)
{
    uintptr_t block = (uintptr_t)item & ~((uintptr_t)POOL_BLOCK_BYTES - 1);
    uintptr_t offset = (uintptr_t)item - block - BLOCK_HEAD_BYTES;
    uint64_t first_number;

    memcpy(&first_number, (const char *)item - (offset + BLOCK_HEAD_BYTES), sizeof(first_number));
    return (uint32_t)(first_number + offset / pool->item_bytes);
}

void pool_give(struct pool *pool, void *item)
{
    uint32_t number = pool_number(pool, item);

    memset(item, 0, pool->item_bytes);
    memcpy(item, &pool->first_free, sizeof(pool->first_free));
    pool->first_free = number;
    pool->n_items--;
}
