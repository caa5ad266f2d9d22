#include "relay/schedule/table.h"

#include <errno.h>

void table_fini(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

void *table_find(const struct table *table, uint64_t hash, table_is_same *is_same, const void *key)
{
    uint32_t mask = table->n_slots - 1;

    if (!table->n_slots)
        return NULL;
    for (uint32_t at = (uint32_t)hash & mask; table->slots[at].thing; at = (at + 1) & mask)
        if (table->slots[at].hash == hash && is_same(table->slots[at].thing, key))
            return table->slots[at].thing;
    return NULL;
}

static void put(struct table *table, struct table_slot slot)
{
    uint32_t mask = table->n_slots - 1;
    uint32_t at = (uint32_t)slot.hash & mask;

    while (table->slots[at].thing)
        at = (at + 1) & mask;
    table->slots[at] = slot;
}

static int grow(struct table *table)
{
    struct table old = *table;
    uint32_t n_slots = old.n_slots ? old.n_slots * 2 : 64;
    struct table_slot *slots = calloc(n_slots, sizeof(*slots));

    if (!slots)
        return FAULT(-ENOMEM);
    table->slots = slots;
    table->n_slots = n_slots;
    for (uint32_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].thing)
            put(table, old.slots[i]);
    free(old.slots);
    return 0;
}

int table_add(struct table *table, uint64_t hash, void *thing)
{
    if ((uint64_t)table->n_things * 4 >= (uint64_t)table->n_slots * 3) {
        int error = grow(table);

        if (error < 0)
            return error;
    }
    put(table, (struct table_slot){hash, thing});
    table->n_things++;
    return 0;
}

/* Closes the gap at `gap` by moving back what was displaced over it. */
static void close_gap(struct table *table, uint32_t gap)
{
    uint32_t mask = table->n_slots - 1;

    for (uint32_t at = (gap + 1) & mask; table->slots[at].thing; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)table->slots[at].hash & mask;

        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        table->slots[gap] = table->slots[at];
        gap = at;
    }
    table->slots[gap] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, const void *thing)
{
    uint32_t mask = table->n_slots - 1;

    if (!table->n_slots)
        return;
    for (uint32_t at = (uint32_t)hash & mask; table->slots[at].thing; at = (at + 1) & mask) {
        if (table->slots[at].thing == thing) {
            close_gap(table, at);
            table->n_things--;
            return;
        }
    }
}
