/* The memory that messages being received take, all sessions together.  Whoever finds it spent
 * writes to a file instead, so a flood costs disk and time but not the process.
 * Thread: any; a counter. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct message_memory {
    _Atomic uint64_t used, limit; /* bytes */
};

static inline bool message_memory_take(struct message_memory *memory, uint64_t bytes)
{
    if (atomic_fetch_add(&memory->used, bytes) + bytes <= atomic_load(&memory->limit))
        return true;
    atomic_fetch_sub(&memory->used, bytes);
    return false;
}

static inline void message_memory_give(struct message_memory *memory, uint64_t bytes)
{
    atomic_fetch_sub(&memory->used, bytes);
}
