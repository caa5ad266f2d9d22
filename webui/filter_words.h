/* The words that lists are searched by: `to:anna@example.net state:deferred,held older:2h "4.7.1"`.
 *
 *   filter = [word *(blanks word)]
 *   word   = [name ":"] value
 *   name   = to | from | user | dest | state | older | size | msgid | reply | campaign
 *   value  = 1*(any but blank and '"') | '"' *(any but '"') '"'
 *
 * A value without a name is free text.  Each name stands once at most; what is not understood is
 * refused, never left out: a misspelled word must not widen what an order is for.
 * Pure.  Thread: any. */
#pragma once

#include "relay/base/slice.h"

enum filter_state {
    FILTER_QUEUED,
    FILTER_SENDING,
    FILTER_DEFERRED,
    FILTER_HELD,
    FILTER_DELIVERED,
    FILTER_BOUNCED,
    FILTER_EXPIRED,
    FILTER_DELETED,
    N_FILTER_STATES
};

enum { FILTER_MOST_BYTES = 4096 };

/* Slices look into the text; .len 0: not given. */
struct filter_words {
    struct slice to, from, user, dest, msgid, reply, campaign;
    struct slice text;
    unsigned states;     /* bits 1 << enum filter_state; 0: any */
    int64_t older_ms;    /* older than; 0: any */
    int64_t larger_than; /* bytes; 0: any */
};

struct filter_problem {
    size_t at, length; /* of the word, in the text */
    const char *detail;
};

/* False with *problem filled in. */
bool filter_words_parse(struct slice text, struct filter_words *out,
                        struct filter_problem *problem);

bool filter_is_empty(const struct filter_words *words);
const char *filter_state_name(enum filter_state state);
