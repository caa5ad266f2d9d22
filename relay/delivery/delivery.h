/* From the queue to the receivers: one shard per loop, each with the sites it owns.
 *
 * main.c, in this order:
 *   delivery_start()       after the loops are made and policy is started, before the loops run
 *                          and before spool_start(), whose callbacks call in at once
 *   delivery_use_spool()   with what spool_start() made, before the loops run
 *   delivery_subscribe()   before registry_start(): users, domains, keys, suspensions; until the
 *                          first snapshot is there nothing is sent
 *   delivery_signer_link() once per loop whenever the signer (re)starts
 *   delivery_recover()     from the spool's on_recovered     (spool thread)
 *   delivery_recovered()   when spool_start() has returned: sending begins
 *   delivery_admit()       from the spool's on_committed     (spool thread)
 *   delivery_reload()      with new settings                 (any one thread)
 *   delivery_drain()       at SIGTERM: nothing new starts; done() when nothing is under way
 *   delivery_free()        when the loops have stopped running
 * What operators ask lies in relay/delivery/operate.h.
 * Thread: as noted; shards live on their loops. */
#pragma once

#include "relay/base/mailbox.h"
#include "relay/delivery/settings.h"
#include "relay/spool/envelope.h"
#include "relay/spool/stored.h"

struct delivery;
struct failures_waiting;
struct loop;
struct policy;
struct recipient_row;
struct registry;
struct spool;

struct delivery_parts {
    struct loop **loops;
    unsigned n_loops;
    struct policy *policy; /* leases outgoing connections; NULL: no bound but the sites' own */
    struct resolver_settings resolver;
    /* A loop's channel to the signer serves from now on, or no longer; on that loop.  May be NULL.
     */
    void (*on_signer)(void *owner, bool is_up);
    void *owner;
    struct slice authorities_pem; /* for tls = "verify"; .len 0: the system's */
};

/* 0 or -errno.  The parts outlive the delivery. */
MUST_USE int delivery_start(struct delivery **out, const struct delivery_parts *parts,
                            const struct delivery_settings *settings);
struct delivery *delivery_free(struct delivery *delivery); /* NULL in, NULL out */

void delivery_use_spool(struct delivery *delivery, struct spool *spool);

/* New mail, its bytes written and not committed yet: spool_callbacks.on_written. */
void delivery_foresee(struct delivery *delivery, struct stored *stored,
                      const struct envelope *envelope);

/* New mail, its rows committed: spool_callbacks.on_committed.  The reference is delivery's. */
void delivery_admit(struct delivery *delivery, struct stored *stored,
                    const struct envelope *envelope);

/* Found at the start: spool_callbacks.on_recovered.  The reference is delivery's. */
void delivery_recover(struct delivery *delivery, struct stored *stored,
                      const struct recipient_row *rows, uint32_t n_rows);
/* None of that holds: spool_callbacks.on_recovery_undone. */
void delivery_forget_recovered(struct delivery *delivery);
/* Failures to be told in a digest: spool_callbacks.on_failures. */
void delivery_recover_failures(struct delivery *delivery, const struct failures_waiting *waiting);
/* spool_callbacks.opens_at_once and .settle_doubt: which mail is marked at its arrival, and what
 * becomes of recipients whose final dot may have left before a crash. */
bool delivery_opens_at_once(struct delivery *delivery, const struct envelope *envelope);
void delivery_settle_doubt(struct delivery *delivery, const struct stored *stored,
                           struct recipient_row *row);
void delivery_recovered(struct delivery *delivery);

void delivery_subscribe(struct delivery *delivery, struct registry *registry);

/* Something about our addresses that an operator should mend, as a sentence that stays; or NULL.
 * Any thread. */
const char *delivery_egress_note(const struct delivery *delivery);

/* A loop's end of a channel to the signer (signer_link_add_loop()); takes fd.  Any thread. */
void delivery_signer_link(struct delivery *delivery, unsigned loop_index, int fd);

/* 0 or -errno, and then the old settings stay.  One thread at a time. */
MUST_USE int delivery_reload(struct delivery *delivery, const struct delivery_settings *settings);

/* done runs on the mailbox's thread when no transaction is open and every outcome is stored. */
struct delivery_drain {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct delivery_drain *drain);
    _Atomic unsigned n_left; /* delivery's */
};
void delivery_drain(struct delivery *delivery, struct delivery_drain *drain);
