/* Delivery on one loop: its schedule, the hosts of its sites, its connections, and what is under
 * way.  Private to this folder.  Thread: the loop's. */
#pragma once

#include "policy/permits.h"
#include "policy/registry.h"
#include "policy/reply_rule_engine.h"
#include "policy/tally.h"
#include "relay/delivery/config.h"
#include "relay/delivery/delivery.h"
#include "relay/delivery/digest_desk.h"
#include "relay/delivery/egress.h"
#include "relay/delivery/hold_desk.h"
#include "relay/delivery/memo.h"
#include "relay/delivery/notice_desk.h"
#include "relay/delivery/sample.h"
#include "relay/delivery/warmth.h"
#include "relay/net/resolver.h"
#include "relay/net/tls_context.h"
#include "relay/schedule/schedule.h"
#include "relay/spool/spool.h"
#include "signer/client.h"

/* Verdicts that wait for their commit: beyond the first no transaction starts, for after a power
 * cut each of them is sent again, and 256 at a time keep a disk of 20 ms a sync at 10,000 a second;
 * beyond the second nothing else that ends in a verdict does. */
enum {
    SHARD_SOME_IN_DOUBT = 64, /* from here on verdicts are in a hurry */
    SHARD_MOST_IN_DOUBT = 256,
    SHARD_MOST_OUTCOMES = 5000
};

/* Signatures under way for what is not committed yet: foresight.c. */
struct foresight {
    struct list entries;
    uint32_t n_foreseen;
    struct timer timer;
};

struct delivery_shard {
    struct delivery *delivery;
    struct loop *loop;
    unsigned index;
    struct delivery_config *config;
    struct directory *directory; /* NULL until the first snapshot */
    struct directory_subscriber subscriber;
    int64_t next_end_utc_ms; /* of an operator's order; INT64_MAX: none ends by itself */
    struct buffer ways;      /* standing_ways.c: of users and campaigns */
    uint64_t ways_digest;    /* of all orders that lead to a pool; 0: none */
    uint64_t hops_digest;    /* of those that lead a provider's mail to a next hop */
    uint32_t repool_at;
    bool is_repooling; /* what waits is being led anew */
    bool has_address_orders;
    uint32_t looks_begun, looks_ended; /* DELIVERY_LOOK: schedule/figures.h */
    struct schedule *schedule;
    struct resolver *resolver;
    struct signer_client *signer;
    struct tls_client *tls_may, *tls_verify; /* tls_verify: made at its first use */
    struct permit_purse purse;

    struct later pump;     /* something changed: what may start now? */
    struct timer wake;     /* the schedule's next moment */
    struct timer tick;     /* four times a second, unless resting: permits, the clock, the spool */
    int64_t utc_offset_ms; /* as last seen: a jump shows here */

    struct list connections; /* all of them */
    struct list idle;        /* those without a transaction, the least recent first */
    uint32_t n_dispatches;   /* transactions under way, being prepared included */
    uint32_t n_outcomes;     /* verdicts whose commit is awaited */
    uint32_t n_visits;       /* operators' requests, and tasks that will come back */

    struct list wanted_domains; /* to be looked up */
    struct list parked_domains; /* the same, when the walk is over */
    struct list lookups;        /* under way */
    uint32_t n_lookups;
    struct memo routes;     /* what DNS said: router.c */
    struct memo hosts;      /* dead ones, and those whose TLS is broken: host_memory.c */
    struct memo signatures; /* of messages lately signed: signature_memory.c */
    struct foresight foresight;
    struct memo replies;            /* what put recipients off lately: reply_memory.c */
    struct reply_rule_engine rules; /* counts replies: hearing.c */
    struct list warm_leases;        /* young addresses: egress_warm_up.c */
    struct list sender_turns;       /* paces of users and campaigns: sender_turns.c */
    struct sample sample;           /* a signature before an independent judge */

    struct digest_desk digests; /* reports about many failures */
    struct hold_desk holds;     /* mail held for a while */
    struct tally tally;         /* of what was delivered and what failed */
    struct list expired;        /* entries, SENDING */
    struct buffer delayed;      /* struct delayed_entry, outcome.c */
    struct list found;          /* recipients that were delivered before this start, doubt.c */

    bool is_ready;   /* the spool's rows are all told */
    bool is_resting; /* the next tick is far off */
    bool is_draining;
    bool is_settled; /* a request walks: nothing moves to another loop (visit.h) */
    struct delivery_drain *drain;
};

struct public_suffix; /* signer/public_suffix.h */
struct kept_word;

struct kept_words {          /* kept_words.h */
    struct kept_word *words; /* by place */
    size_t n_words, size;
};

struct delivery {
    struct delivery_shard *shards;
    unsigned n_shards;
    struct egress egress[EGRESS_MOST]; /* by number; on the first loop */
    struct spool *spool;
    struct policy *policy;
    struct slice authorities_pem;
    struct notice_desk notices;     /* on the first loop */
    struct list visits;             /* the first one walks; on the first loop: visit.c */
    struct public_suffix *suffixes; /* NULL: no list on this machine */
    struct digest_counts digests;
    struct kept_words words;                    /* of reply rules, from before this start */
    void (*on_signer)(void *owner, bool is_up); /* as in delivery_parts */
    void *owner;
    struct warmth warmth;
    struct delivery_config *_Atomic config; /* the newest; older ones live until the end */
};

MUST_USE int delivery_shard_init(struct delivery_shard *shard, struct delivery *delivery,
                                 struct loop *loop, unsigned index,
                                 const struct resolver_settings *resolver);
void delivery_shard_fini(struct delivery_shard *shard);
void delivery_shard_apply(struct delivery_shard *shard, struct delivery_config *config);
void delivery_shard_drain(struct delivery_shard *shard, struct delivery_drain *drain);

/* Something changed; looked at on the next turn. */
void delivery_shard_touch(struct delivery_shard *shard);

/* Which loop owns what has this name (a domain while it is looked up, a site). */
struct delivery_shard *delivery_owner_of(struct delivery *delivery, struct slice name);

/* One site's recipients, handed to the schedule.  The references become the schedule's. */
void delivery_shard_admit(struct delivery_shard *shard, const struct new_entry *entry);

/* The operator's order that stands now, or NULL. */
const struct order *shard_order(const struct delivery_shard *shard, enum order_scope scope,
                                enum order_action action, struct slice name);

int64_t shard_utc_of(const struct delivery_shard *shard, int64_t monotonic_ms);

static inline int64_t shard_now_ms(const struct delivery_shard *shard)
{
    return loop_now_ms(shard->loop);
}
