/* How the users of a site take turns: deficit round robin.  A share is a user's mail of one class
 * for one site, a flow a campaign's part of it.  Each turn a share may send QUANTUM recipients; a
 * transaction that takes more is paid off by sitting out turns.  Every step is paid for by
 * recipients sent, so the cost of a pick does not grow with what waits.
 * Thread: the schedule's owner. */
#pragma once

#include "relay/schedule/entry.h"
#include "relay/schedule/site.h"

enum { ROUND_ROBIN_QUANTUM = 10 };

struct share {
    struct list link; /* in site->shares while it has ready entries */
    struct list flows;
    struct site *site;
    uint64_t hash;
    uint32_t user_id;
    uint32_t n_flows;
    uint32_t pool;   /* of our addresses */
    int32_t deficit; /* recipients it may send before the next user's turn */
    enum message_class message_class;
};

struct flow {
    struct list link; /* in share->flows, or schedule->unsigned_flows, while it has ready entries */
    struct list ready;
    struct share *share;
    uint64_t hash;
    uint32_t campaign;
    uint32_t n_entries; /* in any state */
    bool is_signed;     /* waits while no signer answers (schedule_signer()) */
};

/* The flow of this entry, which is ENTRY_UNBOUND, at this site, found or made; NULL without memory.
 */
struct flow *flow_find(struct schedule *schedule, struct site *site, const struct entry *entry);
/* One entry less; the last one takes the flow (and its share) with it. */
void flow_release(struct schedule *schedule, struct flow *flow);

/* Links a ready entry behind (before) the others, or takes it out. */
void flow_push(struct flow *flow, struct entry *entry, bool at_front);
void flow_drop(struct flow *flow, struct entry *entry);

/* Out of all turns, or into them again: what schedule_signer() does to each. */
void flow_set_aside(struct flow *flow);
void flow_take_back(struct flow *flow);

/* The flow whose turn it is, or NULL; and what it then sent. */
struct flow *round_robin_turn(struct site *site, enum message_class message_class);
void round_robin_spend(struct flow *flow, uint32_t n_recipients);
