#include "relay/schedule/wheel.h"

#include <stdbool.h>

enum { SLOT_BITS = 8, SLOT_MASK = WHEEL_SLOTS - 1 };

void wheel_init(struct wheel *wheel, uint32_t now_s)
{
    for (int circle = 0; circle < WHEEL_CIRCLES; circle++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[circle][slot]);
    wheel->now_s = now_s;
    wheel->n_elements = 0;
}

static struct list *slot_of(struct wheel *wheel, uint32_t due_s)
{
    uint32_t differs;

    if (due_s < wheel->now_s)
        due_s = wheel->now_s;
    differs = due_s ^ wheel->now_s;
    for (int circle = 0; circle < WHEEL_CIRCLES; circle++)
        if (differs >> (SLOT_BITS * (circle + 1)) == 0)
            return &wheel->slots[circle][(due_s >> (SLOT_BITS * circle)) & SLOT_MASK];
    /* Over half a year ahead, or across that boundary: looked at again when its circle turns. */
    return &wheel->slots[WHEEL_CIRCLES - 1]
                        [(due_s >> (SLOT_BITS * (WHEEL_CIRCLES - 1))) & SLOT_MASK];
}

void wheel_add(struct wheel *wheel, struct list *element, uint32_t due_s)
{
    list_append(slot_of(wheel, due_s), element);
    wheel->n_elements++;
}

void wheel_remove(struct wheel *wheel, struct list *element)
{
    list_remove(element);
    wheel->n_elements--;
}

/* The clock entered a new slot of a coarser circle: its elements move to finer ones. */
static void deal_out(struct wheel *wheel, int circle, uint32_t (*due_of)(const struct list *))
{
    struct list *slot = &wheel->slots[circle][(wheel->now_s >> (SLOT_BITS * circle)) & SLOT_MASK];
    struct list waiting;

    list_init(&waiting);
    while (!list_is_empty(slot))
        list_append(&waiting, list_take_first(slot));
    while (!list_is_empty(&waiting)) {
        struct list *element = list_take_first(&waiting);

        list_append(slot_of(wheel, due_of(element)), element);
    }
}

static void next_second(struct wheel *wheel, uint32_t (*due_of)(const struct list *))
{
    wheel->now_s++;
    for (int circle = WHEEL_CIRCLES - 1; circle > 0; circle--)
        if ((wheel->now_s & ((1U << (SLOT_BITS * circle)) - 1)) == 0)
            deal_out(wheel, circle, due_of);
}

struct list *wheel_take_due(struct wheel *wheel, uint32_t now_s,
                            uint32_t (*due_of)(const struct list *element))
{
    if (wheel->n_elements == 0) {
        if (wheel->now_s < now_s)
            wheel->now_s = now_s;
        return NULL;
    }
    for (;;) {
        struct list *first = list_take_first(&wheel->slots[0][wheel->now_s & SLOT_MASK]);

        if (first) {
            wheel->n_elements--;
            return first;
        }
        if (wheel->now_s >= now_s)
            return NULL;
        next_second(wheel, due_of);
    }
}

/* Seconds until the first filled slot of the finest circle, or until it turns. */
uint32_t wheel_next_s(const struct wheel *wheel)
{
    uint32_t second = wheel->now_s;

    if (wheel->n_elements == 0)
        return UINT32_MAX;
    do {
        if (!list_is_empty(&wheel->slots[0][second & SLOT_MASK]))
            return second;
        second++;
    } while ((second & SLOT_MASK) != 0);
    return second;
}
