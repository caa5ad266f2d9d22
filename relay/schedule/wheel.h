/* What is due when, to the second: three circles of slots (seconds; about 4 minutes each; about 18
 * hours each), so adding, removing and moving on cost the same with ten and with five million
 * elements.  Elements of one second keep their order.  Thread: the owner's; the clock is an
 * argument. */
#pragma once

#include <stdint.h>

#include "relay/base/list.h"

enum { WHEEL_CIRCLES = 3, WHEEL_SLOTS = 256 };

struct wheel {
    struct list slots[WHEEL_CIRCLES][WHEEL_SLOTS];
    uint32_t now_s;      /* everything before this second was handed out */
    uint32_t n_elements; /* kept by add and by the owner's wheel_note_removed() */
};

void wheel_init(struct wheel *wheel, uint32_t now_s);

/* Linked into the slot of due_s; what is overdue comes with the next second handed out. */
void wheel_add(struct wheel *wheel, struct list *element, uint32_t due_s);

/* Takes element out; it must be in. */
void wheel_remove(struct wheel *wheel, struct list *element);

/* The next element due at or before now_s, taken out, or NULL.  due_of() tells an element's second
 * when a coarser slot is dealt out. */
struct list *wheel_take_due(struct wheel *wheel, uint32_t now_s,
                            uint32_t (*due_of)(const struct list *element));

/* No element is due before this second; UINT32_MAX when empty.  May be early, never late. */
uint32_t wheel_next_s(const struct wheel *wheel);
