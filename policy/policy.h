/* The policy thread: every counter that spans loops, asked by mailbox and answered by mailbox. This
 * header starts and stops it; authenticator.h, sessions.h and permits.h say what it can be asked.
 * Order at start: registry_open(), policy_start(), other subscribers, registry_start().
 * Order at stop: the loops stop, policy_stop() (answers what they asked), registry_stop(), and only
 * then what the requests were embedded in is freed.
 * Thread: the starting thread, but where said otherwise. */
#pragma once

#include "policy/quota_book.h"
#include "relay/base/mailbox.h"

struct registry;
struct worker_pool;
struct policy;

/* A limit of 0 is no limit. */
struct policy_settings {
    uint32_t max_sessions;           /* limits.connections */
    uint32_t sessions_per_address;   /* limits.per_address */
    uint32_t sessions_per_user;      /* unless the user has a figure of its own */
    uint32_t outbound_connections;   /* PERMIT_OUTBOUND */
    uint32_t connections_per_egress; /* PERMIT_EGRESS */
    uint32_t connects_per_egress;    /* PERMIT_EGRESS_RATE: begun in any one second */
    struct quota_limits quotas;      /* of users without figures of their own */
    bool has_brake;                  /* for stolen passwords, of users who want it */
    unsigned n_workers;              /* 2 to 4: each holds up to 19 MiB */
    uint32_t worker_queue;           /* jobs that may wait */
    uint32_t mailbox_capacity;       /* requests that may wait for the policy thread */
};

extern const struct policy_settings policy_default_settings;

/* Starts the workers and the thread and subscribes to the registry's snapshots; 0 or -errno. */
MUST_USE int policy_start(struct policy **out, const struct policy_settings *settings,
                          struct registry *registry);

/* Answers what waits (LOGIN_BUSY, no permits) and ends; accepts NULL, returns NULL.  The loops have
 * stopped; what still holds a ticket may return it later, for nobody counts any more. */
struct policy *policy_stop(struct policy *policy);

/* Takes the limits (sessions, permits) of new settings; the sizes stay.  Any thread; 0 or -ENOMEM.
 */
MUST_USE int policy_reload(struct policy *policy, const struct policy_settings *settings);

/* For judge.c and whoever else has something to compute. */
struct worker_pool *policy_workers(struct policy *policy);
