#include "relay/base/arena.h"

#include <stdlib.h>

#include "relay/base/checked.h"

enum { BLOCK_BYTES = 4096, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *older;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->newest;

    while (block) {
        struct arena_block *older = block->older;

        free(block);
        block = older;
    }
    arena->newest = NULL;
    arena->used = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    size_t whole;
    struct arena_block *block;

    if (!checked_add(size, sizeof(*block), &whole))
        return NULL;
    block = calloc(1, whole);
    if (!block)
        return NULL;
    block->size = size;
    block->older = arena->newest;
    arena->newest = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    struct arena_block *block = arena->newest;
    size_t rounded, used;
    void *memory;

    if (!checked_add(bytes, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGNMENT - 1);
    if (!checked_add(arena->used, rounded, &used) || (arena->limit && used > arena->limit))
        return NULL;
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    if (!block)
        return NULL;
    memory = block->bytes + block->used;
    block->used += rounded;
    arena->used = used;
    return memory;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
    size_t with_nul;
    char *copy;

    if (!checked_add(bytes.len, 1, &with_nul))
        return (struct slice){0};
    copy = arena_alloc(arena, with_nul);
    if (!copy)
        return (struct slice){0};
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return (struct slice){copy, bytes.len};
}
