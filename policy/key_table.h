/* Intrusive hash table by 64-bit keys; it owns its buckets, not the entries.  Keys are expected to
 * be spread already (base/secret.h: table_hash) or small numbers.
 * Thread: the owner's; pure. */
#pragma once

#include <stdint.h>

#include "relay/base/fault.h"

struct key_entry {
    struct key_entry *next;
    uint64_t key;
};

struct key_table {
    struct key_entry **buckets;
    uint32_t n_buckets; /* a power of two, or 0 before the first entry */
    uint32_t n_entries;
};

void key_table_fini(struct key_table *table); /* does not touch the entries */

struct key_entry *key_table_find(const struct key_table *table, uint64_t key);

/* entry->key must not be in the table; 0, or -ENOMEM and it is not in. */
MUST_USE int key_table_add(struct key_table *table, struct key_entry *entry);

/* The entry must be in the table. */
void key_table_remove(struct key_table *table, struct key_entry *entry);

/* Some entry, removed, or NULL: for taking a table apart. */
struct key_entry *key_table_take_any(struct key_table *table);
