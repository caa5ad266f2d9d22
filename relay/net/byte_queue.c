#include "relay/net/byte_queue.h"

#include <assert.h>
#include <errno.h>

#include "relay/base/checked.h"

enum { SMALLEST = 1024 };

static size_t grown(size_t capacity, size_t needed)
{
    size_t larger = capacity ? capacity : SMALLEST;

    while (larger < needed)
        larger = larger * 2 > larger ? larger * 2 : needed;
    return larger;
}

int byte_queue_reserve(struct byte_queue *queue, size_t more)
{
    size_t len = byte_queue_len(queue), needed, capacity;
    char *data;

    if (queue->capacity - queue->end >= more)
        return 0;
    if (!checked_add(len, more, &needed))
        return FAULT(-ENOMEM);
    if (needed <= queue->capacity && queue->start >= len) { /* cheap: half of it is gone */
        memcpy(queue->data, queue->data + queue->start, len);
        explicit_bzero(queue->data + queue->start, len);
        queue->start = 0;
        queue->end = len;
        return 0;
    }
    capacity = grown(queue->capacity, needed);
    data = malloc(capacity);
    if (!data)
        return FAULT(-ENOMEM);
    if (len)
        memcpy(data, queue->data + queue->start, len);
    byte_queue_clear(queue);
    *queue = (struct byte_queue){data, 0, len, capacity};
    return 0;
}

int byte_queue_append(struct byte_queue *queue, struct slice bytes)
{
    int error = byte_queue_reserve(queue, bytes.len);

    if (error < 0)
        return error;
    if (bytes.len)
        memcpy(queue->data + queue->end, bytes.data, bytes.len);
    queue->end += bytes.len;
    return 0;
}

void byte_queue_consume(struct byte_queue *queue, size_t n)
{
    assert(n <= byte_queue_len(queue));
    if (n == 0)
        return;
    explicit_bzero(queue->data + queue->start, n);
    queue->start += n;
}

void byte_queue_clear(struct byte_queue *queue)
{
    if (queue->data)
        explicit_bzero(queue->data + queue->start, byte_queue_len(queue));
    free(queue->data);
    *queue = (struct byte_queue){0};
}
