/* Bytes that wait: appended at one end, consumed at the other, without moving them each time.
 * Gives its memory back when empty, wiped: passwords pass through here.
 * Thread: the owner's; private to relay/net. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"

struct byte_queue {
    char *data;
    size_t start, end; /* what waits is data[start, end) */
    size_t capacity;
};

static inline size_t byte_queue_len(const struct byte_queue *queue)
{
    return queue->end - queue->start;
}

static inline struct slice byte_queue_slice(const struct byte_queue *queue)
{
    if (!queue->data)
        return (struct slice){0};
    return (struct slice){queue->data + queue->start, queue->end - queue->start};
}

/* Room for more bytes behind the last, at queue->data + queue->end; 0 or -ENOMEM. */
MUST_USE int byte_queue_reserve(struct byte_queue *queue, size_t more);
MUST_USE int byte_queue_append(struct byte_queue *queue, struct slice bytes);
void byte_queue_consume(struct byte_queue *queue, size_t n);
void byte_queue_clear(struct byte_queue *queue); /* gives the memory back */
