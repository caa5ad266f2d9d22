#include "policy/key_table.h"

#include <errno.h>

enum { FEWEST_BUCKETS = 64 };

void key_table_fini(struct key_table *table)
{
    free(table->buckets);
    *table = (struct key_table){0};
}

static struct key_entry **bucket_of(struct key_entry **buckets, uint32_t n_buckets, uint64_t key)
{
    uint64_t mixed = (key ^ (key >> 32)) * UINT64_C(0x9e3779b97f4a7c15);

    return &buckets[(mixed >> 32) & (n_buckets - 1)];
}

struct key_entry *key_table_find(const struct key_table *table, uint64_t key)
{
    struct key_entry *entry;

    if (!table->n_buckets)
        return NULL;
    entry = *bucket_of(table->buckets, table->n_buckets, key);
    while (entry && entry->key != key)
        entry = entry->next;
    return entry;
}

static void link_entry(struct key_entry **buckets, uint32_t n_buckets, struct key_entry *entry)
{
    struct key_entry **bucket = bucket_of(buckets, n_buckets, entry->key);

    entry->next = *bucket;
    *bucket = entry;
}

static int grow(struct key_table *table)
{
    uint32_t n_buckets = table->n_buckets ? table->n_buckets * 2 : FEWEST_BUCKETS;
    struct key_entry **buckets = calloc(n_buckets, sizeof(struct key_entry *));

    if (!buckets)
        return FAULT(-ENOMEM);
    for (uint32_t i = 0; i < table->n_buckets; i++)
        while (table->buckets[i]) {
            struct key_entry *entry = table->buckets[i];

            table->buckets[i] = entry->next;
            link_entry(buckets, n_buckets, entry);
        }
    free(table->buckets);
    table->buckets = buckets;
    table->n_buckets = n_buckets;
    return 0;
}

int key_table_add(struct key_table *table, struct key_entry *entry)
{
    if (table->n_entries >= table->n_buckets) {
        int error = grow(table);

        if (error && !table->n_buckets)
            return error; /* without the first bucket there is no place; later ones only get long */
    }
    link_entry(table->buckets, table->n_buckets, entry);
    table->n_entries++;
    return 0;
}

void key_table_remove(struct key_table *table, struct key_entry *entry)
{
    struct key_entry **link = bucket_of(table->buckets, table->n_buckets, entry->key);

    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    entry->next = NULL;
    table->n_entries--;
}

struct key_entry *key_table_take_any(struct key_table *table)
{
    for (uint32_t i = 0; i < table->n_buckets && table->n_entries; i++) {
        struct key_entry *entry = table->buckets[i];

        if (!entry)
            continue;
        key_table_remove(table, entry);
        return entry;
    }
    return NULL;
}
