/* Which campaigns there are (X-Staffetta-Campaign, or List-ID), each of one user, by name, letter
 * case ignored, and what became of their mail since the start: at most CAMPAIGNS_MOST, of one user
 * CAMPAIGNS_OF_USER, so that nobody's names push out everybody else's.  The least recently seen (of
 * the user who has too many, else of all) is folded into `other`.
 * Thread: the owner's (policy thread); pure, the clock is an argument. */
#pragma once

#include "policy/bounce_counts.h"
#include "policy/key_table.h"

enum { CAMPAIGNS_MOST = 10000, CAMPAIGNS_OF_USER = 500, CAMPAIGN_NAME_SIZE = 256 };

struct campaign_counts {
    uint64_t n_messages, n_recipients; /* accepted */
    uint64_t n_delivered, n_failed;    /* recipients */
    struct bounce_figures bounces;
};

struct campaign {
    char name[CAMPAIGN_NAME_SIZE];
    uint32_t user_id;
    int64_t first_utc_ms, last_utc_ms;
    struct campaign_counts counts;
};

struct campaign_book {
    struct key_table by_name, users;
    struct list recent; /* the least recent first */
    struct campaign_counts other;
    uint64_t n_folded;
};

void campaign_book_init(struct campaign_book *book);
void campaign_book_fini(struct campaign_book *book);

/* Adds what happened; without memory it counts as other. */
void campaign_book_add(struct campaign_book *book, uint32_t user_id, struct slice name,
                       const struct campaign_counts *more, int64_t utc_ms);

/* The most recent first, until visit says no more. */
void campaign_book_each(const struct campaign_book *book,
                        bool (*visit)(void *owner, const struct campaign *campaign), void *owner);
