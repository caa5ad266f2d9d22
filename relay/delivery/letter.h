/* A stored message opened for work: its bytes leased, its envelope read.  Counted: a transaction
 * and the storing of its outcome share one.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

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
    void (*done)(void *owner, int error);
    void *owner;
    bool wants_bytes; /* the fetch is for letter_fetch(), not for the envelope */
    int error;
};

/* NULL without memory. */
struct letter *letter_new(struct delivery_shard *shard, struct stored *stored);
struct letter *letter_ref(struct letter *letter);
void letter_unref(struct letter *letter); /* accepts NULL; not while open or fetch are under way */

/* Leases and reads; done(owner, error) on a later turn: 0, -ENOENT (finished meanwhile), -EBADMSG
 * (its bytes are damaged), -EIO, -ENOMEM.  At once again when it is open. */
void letter_open(struct letter *letter, void (*done)(void *owner, int error), void *owner);

/* Brings all its bytes into memory; done as above. */
void letter_fetch(struct letter *letter, void (*done)(void *owner, int error), void *owner);
