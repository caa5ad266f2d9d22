/* One transaction from the schedule's pick to its outcome: opens the message, waits for a peer,
 * prepares what that peer can take (form, signature), hands it over, collects what is said of each
 * recipient.  Knows nothing of hosts and sockets.  Thread: the loop's. */
#pragma once

#include "relay/delivery/connection.h"
#include "relay/delivery/egress_warm_up.h"
#include "relay/delivery/outcome.h"
#include "relay/delivery/prepare.h"
#include "relay/message/render.h"

struct dispatch {
    struct delivery_shard *shard;
    struct site *site;
    struct lane *lane;
    enum message_class message_class;
    uint32_t user_id, campaign;
    struct warm_use warm_use;
    struct target *target;
    struct letter *letter;
    struct connection *connection; /* NULL: it ended or was given back */
    struct outcome *outcome;
    struct preparation *preparation;
    struct arena arena;
    uint32_t n_entries;
    struct entry **entries;
    bool *is_answered; /* by recipient of the transaction */
    struct smtp_client_recipient *recipients;
    struct smtp_transaction transaction;
    struct render render;
    struct timer turn; /* until turn_ms, when the pace lets this be said */
    int64_t turn_ms;
    uint32_t crc;             /* of the stored bytes that have gone out */
    struct spool_update mark; /* "a final dot may leave": before it does */
    bool is_open, is_peer_ready, is_prepared, is_sent;
    bool has_turn, is_counted; /* in the lane's pace; in that of whom it is of */
    bool tries_other_address;  /* of ours, as a rule says */
    bool is_marking;           /* a callback will come: it must not be freed before */
    bool awaits_mark;          /* all but the final dot has been said */
    bool has_mark;             /* committed, for this attempt */
    bool is_waiting;           /* a callback will come: it must not be freed before */
    bool is_fetching;          /* of the body: sending goes on when it is in memory */
    bool is_over;
    bool is_lingering; /* its connection still awaits replies to what was pipelined */
};

/* Takes the pick over.  False (no memory, or its domain must be routed first): the entries were
 * returned, the connection's count
 * given back. */
bool dispatch_start(struct delivery_shard *shard, const struct pick *pick);

/* ---- what its connection tells ---- */

void dispatch_on_ready(struct dispatch *dispatch); /* the peer awaits MAIL */
void dispatch_on_recipient(struct dispatch *dispatch, uint32_t index, enum smtp_phase phase,
                           const struct smtp_reply *reply, uint32_t n_accepted);
void dispatch_on_room(struct dispatch *dispatch); /* 354 came, or the output has drained */

/* The service drains: what waits for its turn in the pace is given back. */
void dispatch_on_drain(struct dispatch *dispatch);

/* The end: reply stands for every recipient without an answer of its own.  The connection tells
 * nothing more after this, but for dispatch_release() when it has set is_lingering before. */
void dispatch_on_end(struct dispatch *dispatch, enum smtp_phase phase,
                     const struct smtp_reply *reply, bool is_doubtful);

void dispatch_release(struct dispatch *dispatch); /* no longer lingering */

/* No host let us in. */
void dispatch_on_unreachable(struct dispatch *dispatch, const struct connection_trouble *trouble);
/* A kept connection ended before anything of this was said: no attempt, another one is found. */
void dispatch_on_stale(struct dispatch *dispatch);
