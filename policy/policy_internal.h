/* The policy thread from inside, for policy.c, authenticator.c, sessions.c and permits.c.
 * Thread: the policy thread. */
#pragma once

#include "policy/authenticator.h"
#include "policy/bounce_counts.h"
#include "policy/key_table.h"
#include "policy/login_cache.h"
#include "policy/permits.h"
#include "policy/quotas_internal.h"
#include "policy/registry.h"
#include "policy/rule_words.h"
#include "policy/session_table.h"
#include "policy/throttle.h"
#include "policy/warm_ups.h"
#include "policy/worker_pool.h"
#include "relay/base/clock.h"
#include "relay/base/heap.h"
#include "relay/base/list.h"
#include "relay/base/thread.h"

struct authenticator {
    struct throttle *throttle;
    struct login_cache *cache;
    struct key_table attempts; /* under way, by digest */
    struct key_table uses;     /* of credentials, not yet told to the registry */
    struct due flush_uses;
    uint8_t digest_key[HASH_KEY_BYTES];
    char decoy[PASSWORD_HASH_SIZE]; /* what unknown users' passwords are compared with */
};

struct policy {
    struct policy_settings settings;
    struct registry *registry;
    struct worker_pool *workers;
    struct mailbox *mailbox;
    pthread_t thread;
    struct thread_owner owner;
    bool is_running, is_stopping;
    struct task stop;
    uint32_t n_outstanding; /* jobs and registry requests of ours whose answer is to come */
    struct heap dues;
    struct directory_subscriber subscriber;
    struct directory *directory; /* NULL until the first came */
    struct authenticator authenticator;
    struct session_table sessions;
    struct list tickets_out;
    struct key_table budgets;
    struct quotas quotas;
    struct warm_ups warm_ups;
    struct rule_words rule_words;
    struct bounce_counts bounces;
};

/* 0 or -ENOMEM; again moves it. */
MUST_USE int policy_set_due(struct policy *policy, struct due *due, int64_t at_ms);
void policy_cancel_due(struct policy *policy, struct due *due); /* harmless when it is not set */

MUST_USE int authenticator_init(struct authenticator *authenticator);
void authenticator_fini(struct authenticator *authenticator); /* nothing is under way */
void authenticator_stop(struct policy *policy);               /* answers what waits */

void sessions_fini(struct policy *policy); /* tickets still out may be returned afterwards */

void permits_apply_settings(struct policy *policy);
void permits_directory_changed(struct policy *policy);
void permits_stop(struct policy *policy); /* answers what waits */
void permits_fini(struct policy *policy);
