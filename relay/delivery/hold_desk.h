/* Mail that is held for a while: over a quota or by a rule until its time comes, or because its
 * user is held by the brake (policy/brake_book.h).  One walk over the recipients of the loop makes
 * them what the time and the newest users say: it releases what is due and what is braked no
 * longer, and holds what is queued of a user who is.  It starts when the first of them is due, and
 * when users come to be braked or released; in slices of a millisecond, with nothing to store but
 * what changes. Thread: the loop's. */
#pragma once

#include "relay/net/loop.h"

struct delivery_shard;
struct directory;
struct entry;
struct judgement;
struct new_entry;

struct hold_desk {
    struct later later;
    int64_t next_ms; /* when to walk, monotonic */
    uint32_t cursor;
    bool is_walking;
};

void hold_desk_init(struct delivery_shard *shard);
void hold_desk_fini(struct delivery_shard *shard);

/* One that is held came in. */
void hold_note(struct delivery_shard *shard, const struct new_entry *entry);

/* One that was being sent is held, as the judgement says, and that is stored; its user may have
 * been released meanwhile.  Before: the flags of its row. */
void hold_believe(struct delivery_shard *shard, struct entry *entry,
                  const struct judgement *judgement);
uint32_t hold_row_flags(const struct judgement *judgement);

/* The shard's directory is to be followed by this one. */
void hold_directory(struct delivery_shard *shard, const struct directory *next);

/* Starts the walk that is due; call a few times a second. */
void hold_run(struct delivery_shard *shard);
