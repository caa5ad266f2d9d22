#include "webui/user_waits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_SLOTS = 64 };

void user_waits_fini(struct user_waits *waits)
{
    free(waits->slots);
    *waits = (struct user_waits){0};
}

void user_waits_clear(struct user_waits *waits)
{
    if (waits->slots)
        memset(waits->slots, 0, waits->n_slots * sizeof(*waits->slots));
    waits->n_users = 0;
    waits->is_cut = false;
}

static bool is_free(const struct user_wait *slot)
{
    assert(slot);
    return slot->n_queued == 0 && slot->n_held == 0;
}

/* Its slot, or the free one that it would take. */
static struct user_wait *find(const struct user_waits *waits, uint32_t user_id)
{
    uint32_t at = user_id * 2654435761U;

    while (!is_free(&waits->slots[at & (waits->n_slots - 1)]) &&
           waits->slots[at & (waits->n_slots - 1)].user_id != user_id)
        at++;
    return &waits->slots[at & (waits->n_slots - 1)];
}

/* Half of the slots stay free, so that every search ends. */
static bool make_room(struct user_waits *waits)
{
    struct user_waits more = {.n_slots = waits->n_slots ? 2 * waits->n_slots : FEWEST_SLOTS,
                              .n_users = waits->n_users};

    if (2 * waits->n_users < waits->n_slots)
        return true;
    more.slots = calloc(more.n_slots, sizeof(*more.slots));
    if (!more.slots)
        return false;
    for (uint32_t i = 0; i < waits->n_slots; i++)
        if (!is_free(&waits->slots[i]))
            *find(&more, waits->slots[i].user_id) = waits->slots[i];
    free(waits->slots);
    *waits = more;
    return true;
}

void user_waits_note(struct user_waits *waits, uint32_t user_id, bool is_held)
{
    struct user_wait *slot = waits->slots ? find(waits, user_id) : NULL;

    if (!slot || is_free(slot)) {
        if (!make_room(waits)) {
            waits->is_cut = true;
            return;
        }
        slot = find(waits, user_id);
        slot->user_id = user_id;
        waits->n_users++;
    }
    if (is_held)
        slot->n_held++;
    else
        slot->n_queued++;
}

struct user_wait user_waits_of(const struct user_waits *waits, uint32_t user_id)
{
    struct user_wait none = {.user_id = user_id};
    const struct user_wait *slot = waits->slots ? find(waits, user_id) : NULL;

    return slot && !is_free(slot) ? *slot : none;
}
