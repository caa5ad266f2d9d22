/* What is worth remembering for a while: things found by a text, the least recently added forgotten
 * first when there are too many.  Thread: the owner's. */
#pragma once

#include "relay/base/list.h"
#include "relay/base/slice.h"
#include "relay/schedule/table.h"

struct memo_item { /* embedded */
    struct list age;
    struct slice key; /* in memory of the embedding struct's own */
    uint64_t hash;
};

struct memo {
    struct table table;
    struct list ages; /* oldest first */
    uint32_t n_items, capacity;
    void (*free_item)(struct memo_item *item);
};

void memo_init(struct memo *memo, uint32_t capacity, void (*free_item)(struct memo_item *item));
void memo_fini(struct memo *memo);
void memo_clear(struct memo *memo);

struct memo_item *memo_find(const struct memo *memo, struct slice key); /* octet for octet */

/* Takes the item over, in place of one of the same key; without memory it is freed at once. */
void memo_add(struct memo *memo, struct memo_item *item);
void memo_drop(struct memo *memo, struct memo_item *item);
