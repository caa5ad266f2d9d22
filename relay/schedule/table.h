/* Finds things by the hash of what names them.  The things lie elsewhere; the table holds pointers,
 * and the caller says which one is meant among those of equal hash.  Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"

struct table_slot {
    uint64_t hash;
    void *thing; /* NULL: never used */
};

struct table {
    struct table_slot *slots;
    uint32_t n_slots; /* a power of two, or 0 */
    uint32_t n_things;
};

typedef bool table_is_same(const void *thing, const void *key);

void table_fini(struct table *table); /* does not touch the things */
void *table_find(const struct table *table, uint64_t hash, table_is_same *is_same, const void *key);

/* The thing must not be in yet; 0 or -ENOMEM. */
MUST_USE int table_add(struct table *table, uint64_t hash, void *thing);
void table_remove(struct table *table, uint64_t hash, const void *thing);
