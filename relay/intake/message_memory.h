/* The memory that messages being received take, all sessions together.  A body that finds it spent
 * goes to a file instead, so a flood costs disk and time but not the process.  Header blocks have
 * to be whole, so a quarter is theirs alone.
 * Thread: any; a counter. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct message_memory {
    _Atomic uint64_t used, limit; /* bytes */
};

enum memory_use { MEMORY_FOR_HEADER, MEMORY_FOR_BODY };

static inline bool message_memory_take(struct message_memory *memory, uint64_t bytes,
                                       enum memory_use use)
{
    uint64_t limit = atomic_load(&memory->limit);

    if (use == MEMORY_FOR_BODY)
        limit -= limit / 4;
    if (atomic_fetch_add(&memory->used, bytes) + bytes <= limit)
        return true;
    atomic_fetch_sub(&memory->used, bytes);
    return false;
}

static inline void message_memory_give(struct message_memory *memory, uint64_t bytes)
{
    atomic_fetch_sub(&memory->used, bytes);
}
