/* Deliveries in doubt: the final dot went out (or may have), the answer never came, so another try
 * may bring a second copy.  What becomes of them is a setting of the destination.
 * Thread: the loop's; doubt_settle() the spool's, before the loops run. */
#pragma once

#include "relay/delivery/outcome.h"

/* Changes what shall become of an entry whose connection was lost after the dot; texts are made in
 * the arena. */
void doubt_decide(struct delivery_shard *shard, struct slice domain, struct arena *arena,
                  struct judgement *judgement);

/* A transaction of it begins, or it ends without one: it is no longer announced. */
void doubt_begun(struct delivery_shard *shard, struct entry *entry);

/* ---- found at a start: delivered, says the record, and not yet finished ---- */

/* Before the loops run; the reference is taken. */
void doubt_note_delivered(struct delivery_shard *shard, struct stored *stored,
                          const struct recipient_row *row);
/* Finishes them as if the reply had come just now: stored, and then told. */
void doubt_finish_delivered(struct delivery_shard *shard);
void doubt_forget_delivered(struct delivery_shard *shard); /* the next start finds them again */

/* One event, told when the doubt arises. */
struct doubt_facts {
    uint64_t id;
    uint32_t n;
    struct slice to, site, mx; /* empty: not known */
    const char *cause;
    int64_t tried_utc_ms; /* 0: now */
};
void doubt_tell(const struct doubt_facts *facts);
