/* Intrusive binary heap ordered by a 64-bit key (mostly: milliseconds when due), smallest first.
 * An element knows its place, so moving or removing one costs O(log n).  Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"

enum { HEAP_NOWHERE = 0 }; /* value of heap_node.place while in no heap */

struct heap_node {
    int64_t key;
    uint32_t place; /* 1-based; HEAP_NOWHERE when in no heap */
};

struct heap {
    struct heap_node **nodes; /* nodes[0] is the smallest */
    uint32_t n_nodes, capacity;
};

void heap_fini(struct heap *heap); /* does not touch the nodes */

/* Puts node in with key, or moves it there when it is in already; 0 or -ENOMEM. */
MUST_USE int heap_set(struct heap *heap, struct heap_node *node, int64_t key);

/* Harmless when node is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

static inline struct heap_node *heap_first(const struct heap *heap)
{
    return heap->n_nodes ? heap->nodes[0] : NULL;
}
