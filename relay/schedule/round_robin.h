/* How the users of a site take turns: deficit round robin.  A queue is the ready mail of one class
 * and one pool of addresses for one site, a share a user's part of it, a flow a campaign's part of
 * that.  Each turn a share may send QUANTUM recipients, times its user's weight; a transaction that
 * takes more is paid off by sitting out turns.  Every step is paid for by
 * recipients sent, so the cost of a pick does not grow with what waits.
 * Thread: the schedule's owner. */
#pragma once

#include "relay/schedule/entry.h"
#include "relay/schedule/site.h"

enum { ROUND_ROBIN_QUANTUM = 10, ROUND_ROBIN_MOST_WEIGHT = 100 };

struct queue {
    struct list link;    /* in site->queues while it has ready entries */
    struct list station; /* in its provider's station while its site may go */
    struct list shares;  /* with ready entries, in turn */
    struct list all;     /* site->all_queues */
    struct site *site;
    enum message_class message_class;
    uint32_t pool; /* of our addresses */
    uint32_t n_shares;
};

struct share {
    struct list link; /* in queue->shares while it has ready entries */
    struct list flows;
    struct queue *queue;
    struct site *site;
    uint64_t hash;
    uint32_t user_id, weight;
    uint32_t n_flows;
    int32_t deficit; /* recipients it may send before the next user's turn */
    enum message_class message_class;
};

struct flow {
    /* While it has ready entries: in share->flows, schedule->unsigned_flows or a halt's. */
    struct list link;
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

/* Out of all turns, if it has ready entries, or into them again. */
void flow_set_aside(struct flow *flow, struct list *among);
void flow_take_back(struct flow *flow);

/* The flow whose turn it is, or NULL; and what it then sent. */
struct flow *round_robin_turn(struct queue *queue);
void round_robin_spend(struct flow *flow, uint32_t n_recipients);
