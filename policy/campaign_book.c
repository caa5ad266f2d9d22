#include "policy/campaign_book.h"

#include <stdlib.h>

#include "relay/base/secret.h"

struct sender { /* a user */
    struct key_entry entry;
    struct list recent; /* the least recent first */
    uint32_t n_campaigns;
};

struct entry {
    struct key_entry entry;
    struct list link, sender_link;
    struct sender *sender;
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
    while ((entry = key_table_take_any(&book->users)))
        free(CONTAINER_OF(entry, struct sender, entry));
    key_table_fini(&book->by_name);
    key_table_fini(&book->users);
}

static void add_up(struct campaign_counts *counts, const struct campaign_counts *more)
{
    counts->n_messages += more->n_messages;
    counts->n_recipients += more->n_recipients;
    counts->n_delivered += more->n_delivered;
    counts->n_failed += more->n_failed;
    for (int i = 0; i < N_BOUNCE_CLASSES; i++) {
        counts->bounces.failed[i] += more->bounces.failed[i];
        counts->bounces.deferred[i] += more->bounces.deferred[i];
    }
}

/* ---- users ---- */

/* Found or made; NULL without memory. */
static struct sender *make_sender(struct campaign_book *book, uint32_t user_id)
{
    struct key_entry *known = key_table_find(&book->users, user_id);
    struct sender *sender;

    if (known)
        return CONTAINER_OF(known, struct sender, entry);
    sender = calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->entry.key = user_id;
    list_init(&sender->recent);
    if (key_table_add(&book->users, &sender->entry) == 0)
        return sender;
    free(sender);
    return NULL;
}

static void release_sender(struct campaign_book *book, struct sender *sender)
{
    if (sender->n_campaigns > 0)
        return;
    key_table_remove(&book->users, &sender->entry);
    free(sender);
}

/* ---- campaigns ---- */

static void fold(struct campaign_book *book, struct entry *entry)
{
    add_up(&book->other, &entry->campaign.counts);
    book->n_folded++;
    list_remove(&entry->link);
    list_remove(&entry->sender_link);
    entry->sender->n_campaigns--;
    key_table_remove(&book->by_name, &entry->entry);
    free(entry);
}

static void make_room(struct campaign_book *book, struct sender *sender)
{
    struct entry *oldest;
    struct sender *other;

    if (sender->n_campaigns >= CAMPAIGNS_OF_USER) {
        fold(book, CONTAINER_OF(sender->recent.next, struct entry, sender_link));
    } else if (book->by_name.n_entries >= CAMPAIGNS_MOST) {
        oldest = CONTAINER_OF(book->recent.next, struct entry, link);
        other = oldest->sender;
        fold(book, oldest);
        if (other != sender)
            release_sender(book, other);
    }
}

static uint64_t key_of(uint32_t user_id, struct slice name)
{
    return table_hash_ignoring_case(name) ^ user_id * UINT64_C(0x9e3779b97f4a7c15);
}

static struct entry *make_entry(struct campaign_book *book, struct sender *sender,
                                struct slice name, int64_t utc_ms)
{
    uint32_t user_id = (uint32_t)sender->entry.key;
    struct entry *made;

    make_room(book, sender);
    made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    made->entry.key = key_of(user_id, name);
    made->sender = sender;
    list_init(&made->link);
    list_init(&made->sender_link);
    slice_copy_to(name, made->campaign.name, sizeof(made->campaign.name));
    made->campaign.user_id = user_id;
    made->campaign.first_utc_ms = utc_ms;
    if (key_table_add(&book->by_name, &made->entry) == 0) {
        sender->n_campaigns++;
        return made;
    }
    free(made);
    return NULL;
}

/* Found or made; NULL without memory. */
static struct entry *entry_of(struct campaign_book *book, uint32_t user_id, struct slice name,
                              int64_t utc_ms)
{
    struct key_entry *known = key_table_find(&book->by_name, key_of(user_id, name));
    struct sender *sender;
    struct entry *made;

    if (known)
        return CONTAINER_OF(known, struct entry, entry);
    sender = make_sender(book, user_id);
    made = sender ? make_entry(book, sender, name, utc_ms) : NULL;
    if (sender && !made)
        release_sender(book, sender);
    return made;
}

void campaign_book_add(struct campaign_book *book, uint32_t user_id, struct slice name,
                       const struct campaign_counts *more, int64_t utc_ms)
{
    struct entry *entry = entry_of(book, user_id, slice_head(name, CAMPAIGN_NAME_SIZE - 1), utc_ms);

    if (!entry) {
        add_up(&book->other, more);
        return;
    }
    add_up(&entry->campaign.counts, more);
    entry->campaign.last_utc_ms = utc_ms;
    list_remove(&entry->link);
    list_append(&book->recent, &entry->link);
    list_remove(&entry->sender_link);
    list_append(&entry->sender->recent, &entry->sender_link);
}

void campaign_book_each(const struct campaign_book *book,
                        bool (*visit)(void *owner, const struct campaign *campaign), void *owner)
{
    for (const struct list *link = book->recent.previous; link != &book->recent;
         link = link->previous)
        if (!visit(owner, &CONTAINER_OF(link, struct entry, link)->campaign))
            return;
}
