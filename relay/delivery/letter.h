/* A stored message opened for work: its bytes leased, its envelope read.  Counted: a transaction
 * and the storing of its outcome share one.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* Who waits for a letter: a transaction, the storing of its outcome, the converter of its form. */
struct letter_call {
    void (*done)(void *owner, int error);
    void *owner;
    bool wants_bytes; /* letter_fetch(); else letter_open() */
};

enum { LETTER_MOST_CALLS = 4 };

struct letter {
    struct delivery_shard *shard;
    struct stored *stored; /* a reference */
    struct spool_view view;
    struct envelope envelope; /* after letter_open() is done */
    struct buffer envelope_bytes;
    struct arena arena;
    unsigned n_references;
    bool has_view, is_open;

    struct later later;
    struct timer timer; /* the fetching thread was busy */
    struct spool_fetch fetch;
    struct letter_call calls[LETTER_MOST_CALLS]; /* the first is served, in order of asking */
    unsigned n_calls;
    bool is_serving;
    int error;
};

/* NULL without memory. */
struct letter *letter_new(struct delivery_shard *shard, struct stored *stored);
struct letter *letter_ref(struct letter *letter);
void letter_unref(struct letter *letter); /* accepts NULL; not while open or fetch are under way */

/* Leases and reads; done(owner, error) on a later turn: 0, -ENOENT (finished meanwhile), -EBADMSG
 * (its bytes are damaged), -EIO, -ENOMEM.  At once again when it is open.  Several may ask, also
 * while another waits: each is told, in order. */
void letter_open(struct letter *letter, void (*done)(void *owner, int error), void *owner);

/* Brings all its bytes into memory; done as above. */
void letter_fetch(struct letter *letter, void (*done)(void *owner, int error), void *owner);
