/* Digests (bounces = digest): failures of a user's messages wait in the spool as rows, one pile for
 * each user and envelope sender.  Its first failure starts the period (delivery { digest }); at its
 * end, or with DIGEST_MOST failures, one report goes to the sender's address.  The pile here only
 * says when to look; the rows are what is told, and go in the transaction that stores the report.
 * A sender's piles are with one loop, whichever loops its failures happen on.
 * Thread: the loop's, but for what is marked. */
#pragma once

#include "policy/key_table.h"
#include "relay/base/heap.h"
#include "relay/base/list.h"
#include "relay/base/mailbox.h"
#include "relay/base/slice.h"

struct delivery;
struct delivery_shard;
struct failures_waiting;

enum {
    DIGEST_MOST = 1000,         /* failures of one report; with so many it is not waited for */
    DIGEST_MOST_BYTES = 400000, /* of their words: a report stays below a few megabytes */
    /* All loops together; beyond, failures are told one by one. */
    DIGEST_MOST_PILES = 100000,
    DIGEST_MOST_PILES_OF_USER = 10000, /* one who invents senders leaves the others theirs */
    DIGEST_USERS = 1024,               /* those whose numbers differ by it share */
    DIGEST_MOST_DRAFTS = 8,            /* reports being made at once on one loop */
    DIGEST_RETRY_MS = 2000,            /* the spool could not take one */
};

/* How many piles there are, for any thread. */
struct digest_counts {
    _Atomic uint32_t n_piles, n_of_user[DIGEST_USERS];
};

struct digest_note;

struct digest_desk {
    struct key_table piles; /* by user and sender */
    struct heap by_age;     /* those not being told */
    struct list drafts;
    uint32_t n_drafts;
    struct digest_note *_Atomic notes; /* of other loops, the newest first */
    struct task notes_task;            /* posted while there are some */
};

void digest_desk_init(struct digest_desk *desk);
void digest_desk_fini(struct delivery_shard *shard);

/* Is there room for a sender of this user more?  Any thread. */
bool digest_has_room(const struct delivery *delivery, uint32_t user_id);

/* n failures of this user and sender are stored.  Any loop. */
void digest_note(struct delivery_shard *shard, uint32_t user_id, struct slice sender, uint32_t n);

/* Found at start, before the loops run. */
void digest_recover(struct delivery *delivery, const struct failures_waiting *waiting);

/* Starts the reports that are due. */
void digest_run(struct delivery_shard *shard);
