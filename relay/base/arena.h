/* Memory that dies together: a transaction's addresses and parameters go at RSET or at the end of
 * mail, in one step.  Bounded: what a peer can make us keep has a limit in bytes.
 * Thread: the owner's. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct arena_block;
struct arena {
    struct arena_block *newest;
    size_t used;  /* bytes handed out */
    size_t limit; /* bytes it may hand out; 0: no bound */
};

void arena_init(struct arena *arena, size_t limit);

/* Gives everything back; the arena can be used again. */
void arena_reset(struct arena *arena);
#define arena_cleanup arena_reset

/* Zeroed and aligned for any type; NULL without memory or above the limit. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* A copy with a NUL behind it; .data is NULL without memory. */
struct slice arena_copy(struct arena *arena, struct slice bytes);
