/* One connection to a site: finds a host that lets us in (by preference, next address, next MX),
 * STARTTLS with one fall back in clear where allowed, then transactions one after another, idle in
 * between, and an end.  Joins client_session, stream and timers; knows nothing of messages.
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/target.h"
#include "relay/delivery/verdict.h"
#include "relay/net/stream.h"
#include "relay/smtp/client_session.h"

struct dispatch;

enum connection_state {
    CONNECTION_OPENING, /* until the first READY */
    CONNECTION_READY,   /* between transactions, with a dispatch or idle */
    CONNECTION_BUSY,    /* in a transaction, or finishing one */
    CONNECTION_CLOSING, /* QUIT said, or to be freed at the next turn */
};

enum { CONNECTION_MOST_TRIES = 5, CONNECTION_IDLE_MS = 10000, CONNECTION_TEXT = 512 };

/* Why no host let us in; the last word counts, a temporary one more than a permanent one. */
struct connection_trouble {
    uint16_t code;
    struct enhanced_status status;
    bool is_permanent, is_set;
    char text[CONNECTION_TEXT];
};

struct connection {
    struct list all_link;   /* shard->connections */
    struct list idle_link;  /* lane->idle, the most recent first */
    struct list shard_idle; /* shard->idle */
    struct delivery_shard *shard;
    struct target *target;
    struct site *site;
    struct lane *lane;
    struct delivery_config *config;
    struct target_policy policy;
    struct dispatch *dispatch; /* whose transaction it is; NULL: nobody's */
    struct dispatch *former;   /* whose it was, until the replies to it are read */
    enum connection_state state;
    enum message_class message_class;
    bool counts_as_busy; /* for the site; see connection_settle() */
    bool is_silent;      /* and counts so: the peer has not answered for long */
    bool is_greeted, in_clear, is_starting_tls, is_broken;
    bool is_outdated;  /* the same: its address, or the name it greeted with, is no longer ours */
    bool is_unwelcome; /* takes no further transaction: refused for our v6 address */
    uint32_t n_messages;

    uint8_t order[TARGET_MAX_HOSTS];
    size_t n_order, order_at;
    struct target_host *hosts; /* as they were when it began */
    struct host_query *query;  /* while a host is looked up */
    struct ip_address addresses[HOST_MAX_ADDRESSES];
    size_t n_addresses, address_at;
    unsigned n_tries;
    bool has_turn; /* for the next try; it comes when `turn` fires */
    struct connection_trouble trouble;

    struct stream *stream;
    struct smtp_client client;
    bool has_client;
    struct timer timer, turn;
    int64_t more_ms;    /* of the timer: how long the peer has still when it fires; see
                           connection_await() */
    struct later later; /* the next host, or the end */
    char mx[DNS_NAME_SIZE], egress[IP_TEXT_SIZE], tls[96];
};

/* A new connection for this dispatch; the schedule has counted it.  NULL: no memory. */
struct connection *connection_open(struct lane *lane, struct dispatch *dispatch,
                                   enum message_class message_class);

/* An idle one of the target, for this dispatch; the schedule has counted that too. */
struct connection *connection_take(struct lane *lane, struct dispatch *dispatch,
                                   enum message_class message_class);

/* For the dispatch, when dispatch_on_ready() was called.  0, or SMTP_CLIENT_UNSENDABLE, -ENOMEM. */
MUST_USE int connection_send(struct connection *connection,
                             const struct smtp_transaction *transaction);
size_t connection_room(const struct connection *connection); /* bytes of body it would take now */
MUST_USE int connection_write_body(struct connection *connection, struct slice chunk);
MUST_USE int connection_end_body(struct connection *connection);

/* "Your IPv6 address has no name" (5.7.25): the same mail is welcome over IPv4. */
bool connection_is_refused_v6(const struct connection *connection, const struct smtp_reply *reply);

/* The dispatch wants nothing more of it: it becomes idle as soon as it can, or ends. */
void connection_let_go(struct connection *connection);
/* Closed without another octet, in the middle of a body too: the peer must drop it. */
void connection_abort(struct connection *connection);

/* Idle ones end now, the oldest or all; those still looking for a host, or keeping mail for
 * its turn, give it back; and everything at once (free). */
void connection_end_oldest_idle(struct delivery_shard *shard);
/* schedule_hooks.end_idle: the least recent one of the lane, for another site of its provider. */
void connection_end_idle_of(void *owner, struct lane *lane);
void connection_end_idle(struct delivery_shard *shard);
/* From these addresses of ours (bit n: number n): idle ones now, others after what they do. */
void connection_end_of_egress(struct delivery_shard *shard, uint32_t numbers);
void connection_end_opening(struct delivery_shard *shard);
void connection_free_all(struct delivery_shard *shard);
