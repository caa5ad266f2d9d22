#include "policy/campaign_book.h"

#include <stdlib.h>

#include "relay/base/secret.h"

struct entry {
    struct key_entry entry;
    struct list link;
    struct campaign campaign;
};

void campaign_book_init(struct campaign_book *book)
{
    *book = (struct campaign_book){0};
    list_init(&book->recent);
}

void campaign_book_fini(struct campaign_book *book)
{
    struct key_entry *entry;

    while ((entry = key_table_take_any(&book->by_name)))
        free(CONTAINER_OF(entry, struct entry, entry));
    key_table_fini(&book->by_name);
}

static void add_up(struct campaign_counts *counts, const struct campaign_counts *more)
{
    counts->n_messages += more->n_messages;
    counts->n_recipients += more->n_recipients;
    counts->n_delivered += more->n_delivered;
    counts->n_failed += more->n_failed;
}

static void fold_least_recent(struct campaign_book *book)
{
    struct entry *entry = CONTAINER_OF(list_take_first(&book->recent), struct entry, link);

    add_up(&book->other, &entry->campaign.counts);
    book->n_folded++;
    key_table_remove(&book->by_name, &entry->entry);
    free(entry);
}

/* NULL without memory. */
static struct entry *make_entry(struct campaign_book *book, struct slice name, int64_t utc_ms)
{
    uint64_t key = table_hash_ignoring_case(name);
    struct key_entry *known = key_table_find(&book->by_name, key);
    struct entry *made;

    if (known)
        return CONTAINER_OF(known, struct entry, entry);
    if (book->by_name.n_entries >= CAMPAIGNS_MOST)
        fold_least_recent(book);
    made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    made->entry.key = key;
    list_init(&made->link);
    slice_copy_to(name, made->campaign.name, sizeof(made->campaign.name));
    made->campaign.first_utc_ms = utc_ms;
    if (key_table_add(&book->by_name, &made->entry) == 0)
        return made;
    free(made);
    return NULL;
}

void campaign_book_add(struct campaign_book *book, struct slice name, uint32_t user_id,
                       const struct campaign_counts *more, int64_t utc_ms)
{
    struct entry *entry = make_entry(book, slice_head(name, CAMPAIGN_NAME_SIZE - 1), utc_ms);

    if (!entry) {
        add_up(&book->other, more);
        return;
    }
    add_up(&entry->campaign.counts, more);
    entry->campaign.user_id = user_id;
    entry->campaign.last_utc_ms = utc_ms;
    list_remove(&entry->link);
    list_append(&book->recent, &entry->link);
}

void campaign_book_each(const struct campaign_book *book,
                        bool (*visit)(void *owner, const struct campaign *campaign), void *owner)
{
    for (const struct list *link = book->recent.previous; link != &book->recent;
         link = link->previous)
        if (!visit(owner, &CONTAINER_OF(link, struct entry, link)->campaign))
            return;
}
