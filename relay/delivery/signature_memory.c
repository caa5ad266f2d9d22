#include "relay/delivery/signature_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/spool/queue_id.h"

enum { SIGNATURES_MOST = 2000, KEY_SIZE = 24 };

struct kept_signature {
    struct memo_item item;
    char key[KEY_SIZE];
    size_t len;
    char text[];
};

static void free_signature(struct memo_item *item)
{
    free(CONTAINER_OF(item, struct kept_signature, item));
}

void signature_memory_init(struct memo *signatures)
{
    memo_init(signatures, SIGNATURES_MOST, free_signature);
}

static void print_key(uint64_t id, enum render_form form, char out[KEY_SIZE])
{
    char text[QUEUE_ID_SIZE];

    queue_id_format(id, text);
    snprintf(out, KEY_SIZE, "%s %d", text, (int)form);
}

void signature_keep(struct memo *signatures, uint64_t id, enum render_form form, struct slice text)
{
    struct kept_signature *kept = calloc(1, sizeof(*kept) + text.len + 1);

    if (!kept)
        return;
    print_key(id, form, kept->key);
    kept->item.key = slice_of(kept->key);
    kept->len = text.len;
    memcpy(kept->text, text.data, text.len);
    memo_add(signatures, &kept->item);
}

bool signature_find(const struct memo *signatures, uint64_t id, enum render_form form,
                    struct buffer *out)
{
    const struct memo_item *item;
    const struct kept_signature *kept;
    char key[KEY_SIZE];

    print_key(id, form, key);
    item = memo_find(signatures, slice_of(key));
    if (!item)
        return false;
    kept = CONTAINER_OF(item, const struct kept_signature, item);
    buffer_append(out, slice_from(kept->text, kept->len));
    return buffer_error(out) == 0;
}
