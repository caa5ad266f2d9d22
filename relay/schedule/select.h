/* Which recipients an operator means: words that memory answers.  All that are set must hold.
 * Thread: the schedule's owner. */
#pragma once

#include "relay/schedule/schedule.h"

/* One recipient, of the millions that an order may name.  bits: the asker's own. */
struct chosen {
    uint32_t id_high, id_low;
    uint32_t n : 24, bits : 8;
    uint32_t held_until_s; /* the asker's own, too: entry_held_until_s() */
};
_Static_assert(sizeof(struct chosen) == 16, "");

struct chosen chosen_of(uint64_t id, uint32_t n, unsigned bits);
int chosen_compare(const void *a, const void *b); /* for qsort(); not by bits */
struct chosen *chosen_find(const struct chosen *all, size_t n_all, uint64_t id, uint32_t n);

struct selection {
    bool is_all;         /* without any word below, only this selects everything */
    const uint64_t *ids; /* sorted; n_ids 0: any message */
    size_t n_ids;
    const struct chosen *chosen; /* sorted; NULL: any recipient, none of them: nothing */
    size_t n_chosen;
    unsigned chosen_bits;      /* of them, those with any of these bits; 0: all */
    struct slice destination;  /* a domain's or a site's name; .len 0: any */
    uint32_t user_id;          /* 0: any */
    uint32_t sender_hash;      /* stored_hash() of the sender; 0: any */
    uint32_t to_hash;          /* stored_hash() of the recipient; 0: any */
    uint32_t campaign;         /* stored_hash() of its name; 0: any */
    uint32_t states;           /* bits 1 << enum entry_state; 0: any */
    int64_t older_than_utc_ms; /* arrived before; 0: any */
    uint64_t larger_than;      /* bytes of header and body; 0: any */
};

/* Walks all recipients in slices: cursor starts at 0; visit() may change or finish the entry it is
 * given.  Returns true when there is more to look at.  max_steps: entries looked at. */
bool schedule_select(struct schedule *schedule, const struct selection *selection, uint32_t *cursor,
                     uint32_t max_steps, void (*visit)(void *owner, struct entry *entry),
                     void *owner);
bool selection_matches(const struct schedule *schedule, const struct selection *selection,
                       const struct entry *entry);
