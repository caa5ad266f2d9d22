#include "policy/bounce_counts.h"

#include <stdlib.h>

#include "relay/base/secret.h"

const char *bounce_by_name(enum bounce_by by)
{
    static const char *const names[N_BOUNCE_BY] = {"user", "provider", "campaign"};

    return names[by];
}

void bounce_counts_init(struct bounce_counts *counts)
{
    *counts = (struct bounce_counts){0};
    for (int by = 0; by < N_BOUNCE_COUNTED; by++)
        list_init(&counts->by[by].ages);
}

static void free_row(struct bounce_counts *counts, enum bounce_by by, struct bounce_row *row)
{
    list_remove(&row->age);
    list_remove(&row->bucket);
    counts->by[by].n_rows--;
    free(row);
}

static struct bounce_row *oldest(struct bounce_counts *counts, enum bounce_by by)
{
    return CONTAINER_OF(counts->by[by].ages.next, struct bounce_row, age);
}

void bounce_counts_fini(struct bounce_counts *counts)
{
    for (int by = 0; by < N_BOUNCE_COUNTED; by++) {
        while (counts->by[by].n_rows > 0)
            free_row(counts, (enum bounce_by)by, oldest(counts, (enum bounce_by)by));
        free(counts->by[by].buckets);
    }
    bounce_counts_init(counts);
}

static struct list *bucket_of(const struct bounce_counts *counts, enum bounce_by by,
                              struct slice name)
{
    return &counts->by[by].buckets[table_hash_ignoring_case(name) % BOUNCE_BUCKETS];
}

static struct bounce_row *find(const struct bounce_counts *counts, enum bounce_by by,
                               struct slice name)
{
    if (!counts->by[by].buckets)
        return NULL;
    LIST_FOR_EACH(link, bucket_of(counts, by, name))
    {
        struct bounce_row *row = CONTAINER_OF(link, struct bounce_row, bucket);

        if (slice_equal_ignoring_case(slice_from(row->name, row->n_name), name))
            return row;
    }
    return NULL;
}

static void fold_oldest(struct bounce_counts *counts, enum bounce_by by)
{
    struct bounce_row *row = oldest(counts, by);
    struct bounce_figures *other = &counts->by[by].other;

    for (int i = 0; i < N_BOUNCE_CLASSES; i++) {
        other->failed[i] += row->figures.failed[i];
        other->deferred[i] += row->figures.deferred[i];
    }
    counts->by[by].n_folded++;
    free_row(counts, by, row);
}

static bool make_buckets(struct bounce_counts *counts, enum bounce_by by)
{
    if (counts->by[by].buckets)
        return true;
    counts->by[by].buckets = calloc(BOUNCE_BUCKETS, sizeof(struct list));
    for (int i = 0; counts->by[by].buckets && i < BOUNCE_BUCKETS; i++)
        list_init(&counts->by[by].buckets[i]);
    return counts->by[by].buckets != NULL;
}

static struct bounce_row *make(struct bounce_counts *counts, enum bounce_by by, struct slice name)
{
    struct bounce_row *row;

    if (!make_buckets(counts, by))
        return NULL;
    if (counts->by[by].n_rows >= BOUNCE_NAMES)
        fold_oldest(counts, by);
    row = calloc(1, sizeof(*row) + name.len + 1);
    if (!row)
        return NULL;
    if (name.len)
        memcpy(row->name, name.data, name.len);
    row->n_name = (uint32_t)name.len;
    list_append(&counts->by[by].ages, &row->age);
    list_append(bucket_of(counts, by, name), &row->bucket);
    counts->by[by].n_rows++;
    return row;
}

void bounce_counts_add(struct bounce_counts *counts, enum bounce_by by, struct slice name,
                       enum bounce_class bounce_class, uint32_t n_failed, uint32_t n_deferred)
{
    struct bounce_row *row = find(counts, by, name);
    struct bounce_figures *figures;

    if (!row)
        row = make(counts, by, name);
    figures = row ? &row->figures : &counts->by[by].other;
    figures->failed[bounce_class] += n_failed;
    figures->deferred[bounce_class] += n_deferred;
    if (!row)
        return;
    list_remove(&row->age);
    list_append(&counts->by[by].ages, &row->age);
}

const struct bounce_figures *bounce_counts_find(const struct bounce_counts *counts,
                                                enum bounce_by by, struct slice name)
{
    const struct bounce_row *row = find(counts, by, name);

    return row ? &row->figures : NULL;
}
