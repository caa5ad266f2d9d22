/* Filter words as what memory selects by and what rows are read by.  Thread: the panel's. */
#pragma once

#include "relay/schedule/operate.h"
#include "relay/spool/spool_reader.h"
#include "webui/exchange.h"
#include "webui/filter_words.h"

struct queue_words {
    struct filter_words words;
    struct selection selection; /* what the loops answer from memory */
    struct queue_filter rows;   /* what a row must be besides, or while all are looked at */
    bool has_selection;         /* memory narrows it down */
    bool has_rest;              /* reply:, text, from:DOMAIN: only rows can tell */
    bool is_nothing;            /* nothing can match: a user that there is not */
    uint64_t id;                /* of msgid: */
};

/* False after answering 422.  The texts stay the query's or body's. */
bool queue_words_read(struct exchange *exchange, const char *text, struct queue_words *out);

/* Whom of a row's recipients only rows can tell: their number, each told by its own; on_recipient
 * may be NULL. */
uint32_t queue_words_each(const struct queue_words *words, const struct message_row *row,
                          void (*on_recipient)(void *owner, uint32_t n), void *owner);

/* Whether a row has any of them. */
bool queue_words_match(const struct queue_words *words, const struct message_row *row);
