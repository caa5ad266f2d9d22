#include "relay/net/timer_queue.h"

#include <stddef.h>

static bool is_before(const struct timer *a, const struct timer *b)
{
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order);
}

/* Two heaps become one; either may be NULL. */
static struct timer *merge(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (is_before(b, a)) {
        struct timer *swapped = a;

        a = b;
        b = swapped;
    }
    b->previous = a;
    b->next = a->child;
    if (a->child)
        a->child->previous = b;
    a->child = b;
    return a;
}

static struct timer *cut_off(struct timer *timer)
{
    struct timer *next = timer->next;

    timer->next = timer->previous = NULL;
    return next;
}

/* Siblings become one heap: in pairs from the left, then all from the right. */
static struct timer *merge_siblings(struct timer *sibling)
{
    struct timer *pairs = NULL, *merged = NULL;

    while (sibling) {
        struct timer *a = sibling, *b = cut_off(a);

        sibling = b ? cut_off(b) : NULL;
        a = merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *rest = cut_off(pairs);

        merged = merge(merged, pairs);
        pairs = rest;
    }
    return merged;
}

void timer_queue_add(struct timer_queue *queue, struct timer *timer, int64_t due_ms)
{
    timer->child = timer->next = timer->previous = NULL;
    timer->due_ms = due_ms;
    timer->order = ++queue->n_set;
    timer->is_set = true;
    queue->first = merge(queue->first, timer);
}

void timer_queue_remove(struct timer_queue *queue, struct timer *timer)
{
    struct timer *orphans = merge_siblings(timer->child);

    if (timer == queue->first) {
        queue->first = NULL;
    } else {
        if (timer->previous->child == timer)
            timer->previous->child = timer->next;
        else
            timer->previous->next = timer->next;
        if (timer->next)
            timer->next->previous = timer->previous;
    }
    timer->child = timer->next = timer->previous = NULL;
    timer->is_set = false;
    queue->first = merge(queue->first, orphans);
}
