#include "relay/delivery/memo.h"

#include "relay/base/secret.h"

void memo_init(struct memo *memo, uint32_t capacity, void (*free_item)(struct memo_item *item))
{
    *memo = (struct memo){.capacity = capacity, .free_item = free_item};
    list_init(&memo->ages);
}

void memo_clear(struct memo *memo)
{
    while (!list_is_empty(&memo->ages))
        memo_drop(memo, CONTAINER_OF(memo->ages.next, struct memo_item, age));
}

void memo_fini(struct memo *memo)
{
    if (!memo->free_item)
        return;
    memo_clear(memo);
    table_fini(&memo->table);
}

static bool is_item(const void *thing, const void *key)
{
    const struct memo_item *item = thing;

    return slice_equal(item->key, *(const struct slice *)key);
}

struct memo_item *memo_find(const struct memo *memo, struct slice key)
{
    return table_find(&memo->table, table_hash(key), is_item, &key);
}

void memo_drop(struct memo *memo, struct memo_item *item)
{
    list_remove(&item->age);
    table_remove(&memo->table, item->hash, item);
    memo->n_items--;
    memo->free_item(item);
}

void memo_add(struct memo *memo, struct memo_item *item)
{
    struct memo_item *former = memo_find(memo, item->key);

    if (former)
        memo_drop(memo, former);
    if (memo->n_items >= memo->capacity)
        memo_drop(memo, CONTAINER_OF(memo->ages.next, struct memo_item, age));
    item->hash = table_hash(item->key);
    if (table_add(&memo->table, item->hash, item) < 0) {
        memo->free_item(item);
        return;
    }
    list_append(&memo->ages, &item->age);
    memo->n_items++;
}
