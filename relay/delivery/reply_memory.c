#include "relay/delivery/reply_memory.h"

#include <stdlib.h>

enum { TEXT_MOST = 240 };

struct name { /* of a recipient */
    uint64_t id;
    uint64_t n;
};

struct kept_reply {
    struct memo_item item;
    struct name name;
    char text[];
};

static void free_reply(struct memo_item *item)
{
    free(CONTAINER_OF(item, struct kept_reply, item));
}

void reply_memory_init(struct memo *replies)
{
    memo_init(replies, REPLY_MEMORY_MOST, free_reply);
}

void reply_memory_note(struct memo *replies, uint64_t id, uint32_t n, struct slice reply)
{
    size_t len = reply.len < TEXT_MOST ? reply.len : TEXT_MOST;
    struct kept_reply *kept = calloc(1, sizeof(*kept) + len + 1);

    if (!kept)
        return;
    kept->name = (struct name){id, n};
    kept->item.key = slice_from(&kept->name, sizeof(kept->name));
    slice_copy_to(slice_head(reply, len), kept->text, len + 1);
    memo_add(replies, &kept->item);
}

const char *reply_memory_find(const struct memo *replies, uint64_t id, uint32_t n)
{
    struct name name = {id, n};
    struct memo_item *item = memo_find(replies, slice_from(&name, sizeof(name)));

    return item ? CONTAINER_OF(item, struct kept_reply, item)->text : NULL;
}
