#include "relay/base/heap.h"

#include <assert.h>
#include <errno.h>

void heap_fini(struct heap *heap)
{
    free((void *)heap->nodes);
    *heap = (struct heap){0};
}

static void put(struct heap *heap, uint32_t at, struct heap_node *node)
{
    heap->nodes[at] = node;
    node->place = at + 1;
}

static uint32_t sift_up(struct heap *heap, uint32_t at)
{
    struct heap_node *node = heap->nodes[at];

    while (at > 0) {
        uint32_t parent = (at - 1) / 2;

        if (heap->nodes[parent]->key <= node->key)
            break;
        put(heap, at, heap->nodes[parent]);
        at = parent;
    }
    put(heap, at, node);
    return at;
}

static void sift_down(struct heap *heap, uint32_t at)
{
    struct heap_node *node = heap->nodes[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= heap->n_nodes)
            break;
        if (child + 1 < heap->n_nodes && heap->nodes[child + 1]->key < heap->nodes[child]->key)
            child++;
        if (node->key <= heap->nodes[child]->key)
            break;
        put(heap, at, heap->nodes[child]);
        at = child;
    }
    put(heap, at, node);
}

static int make_room(struct heap *heap)
{
    uint32_t capacity = heap->capacity ? heap->capacity * 2 : 64;
    struct heap_node **nodes;

    if (heap->n_nodes < heap->capacity)
        return 0;
    if (capacity < heap->capacity)
        return FAULT(-ENOMEM);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what the array holds
    nodes = (struct heap_node **)reallocarray((void *)heap->nodes, capacity, sizeof(*nodes));
    if (!nodes)
        return FAULT(-ENOMEM);
    heap->nodes = nodes;
    heap->capacity = capacity;
    return 0;
}

int heap_set(struct heap *heap, struct heap_node *node, int64_t key)
{
    if (node->place == HEAP_NOWHERE) {
        int error = make_room(heap);

        if (error < 0)
            return error;
        put(heap, heap->n_nodes++, node);
    }
    node->key = key;
    sift_down(heap, sift_up(heap, node->place - 1));
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    uint32_t at;

    if (node->place == HEAP_NOWHERE)
        return;
    at = node->place - 1;
    assert(at < heap->n_nodes && heap->nodes[at] == node);
    node->place = HEAP_NOWHERE;
    heap->n_nodes--;
    if (at == heap->n_nodes)
        return;
    put(heap, at, heap->nodes[heap->n_nodes]);
    sift_down(heap, sift_up(heap, at));
}
