#include "policy/suspects.h"

enum { KEPT_IN_A_ROW = 10 }; /* strangers' failures that make a user worth remembering */

void suspects_init(struct suspects *suspects, uint32_t capacity)
{
    *suspects = (struct suspects){.capacity = capacity};
    list_init(&suspects->passing);
    list_init(&suspects->kept);
}

static void take_out(struct suspects *suspects, struct suspect *suspect)
{
    list_remove(&suspect->by_age);
    if (suspect->is_kept)
        suspects->n_kept--;
    suspect->is_kept = false;
}

static struct suspect *oldest_of(struct list *list)
{
    return CONTAINER_OF(list->next, struct suspect, by_age);
}

static bool is_worth_keeping(const struct suspect *suspect)
{
    return suspect->is_known || suspect->n_in_a_row >= KEPT_IN_A_ROW;
}

/* As the most recently seen. */
void suspects_place(struct suspects *suspects, struct suspect *suspect)
{
    take_out(suspects, suspect);
    if (!is_worth_keeping(suspect)) {
        list_append(&suspects->passing, &suspect->by_age);
        return;
    }
    if (suspects->n_kept >= suspects->capacity / 2) {
        struct suspect *oldest = oldest_of(&suspects->kept);

        take_out(suspects, oldest);
        list_append(&suspects->passing, &oldest->by_age);
    }
    list_append(&suspects->kept, &suspect->by_age);
    suspect->is_kept = true;
    suspects->n_kept++;
}

static void forget(struct suspects *suspects, struct suspect *suspect)
{
    key_table_remove(&suspects->table, &suspect->entry);
    take_out(suspects, suspect);
    free(suspect);
}

void suspects_fini(struct suspects *suspects)
{
    while (!list_is_empty(&suspects->passing))
        forget(suspects, oldest_of(&suspects->passing));
    while (!list_is_empty(&suspects->kept))
        forget(suspects, oldest_of(&suspects->kept));
    key_table_fini(&suspects->table);
}

static struct suspect *add(struct suspects *suspects, uint64_t key)
{
    struct suspect *suspect = calloc(1, sizeof(*suspect));

    if (!suspect)
        return NULL;
    suspect->entry.key = key;
    suspect->not_before_ms = LONG_AGO_MS;
    for (size_t i = 0; i < THROTTLE_GUESSES_PER_SECOND; i++)
        suspect->starts_ms[i] = LONG_AGO_MS;
    if (key_table_add(&suspects->table, &suspect->entry) != 0) {
        free(suspect);
        return NULL;
    }
    list_init(&suspect->by_age);
    return suspect;
}

struct suspect *suspects_see(struct suspects *suspects, uint64_t key)
{
    struct key_entry *entry = key_table_find(&suspects->table, key);
    struct suspect *suspect = entry ? CONTAINER_OF(entry, struct suspect, entry) : NULL;

    if (suspect)
        suspects_place(suspects, suspect);
    return suspect;
}

struct suspect *suspects_make(struct suspects *suspects, uint64_t key)
{
    struct suspect *suspect = suspects_see(suspects, key);

    if (suspect)
        return suspect;
    /* Half of all at least are passing, so the newest stay. */
    if (suspects->table.n_entries >= suspects->capacity)
        forget(suspects, oldest_of(&suspects->passing));
    suspect = add(suspects, key);
    if (suspect)
        suspects_place(suspects, suspect);
    return suspect;
}
