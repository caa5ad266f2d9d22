/* The desk of quotas and brake on the policy thread.  Inside policy/ only.
 * Thread: the policy thread. */
#pragma once

#include "policy/campaign_book.h"
#include "policy/quotas.h"
#include "policy/registry_counts.h"
#include "policy/tally.h"
#include "relay/base/heap.h"

enum { QUOTAS_MOST_PENDING = 256, QUOTAS_RETRY_MS = 1000 };

/* Something that happens at a time; embedded in what it is about. */
struct due {
    struct heap_node node;
    void (*fire)(struct policy *policy, struct due *due); /* may free it */
};

struct quotas {
    struct quota_book book;
    struct brake_book brake;
    struct personal_book personal;
    struct campaign_book campaigns;
    struct key_table braked; /* users that the brake holds since this start, by id */
    void (*tell)(void *owner, const struct quota_notice *notice);
    void *owner;
    /* What waits for the next store. */
    struct quota_request *first, **last;
    struct count_row *rows;         /* of domains */
    struct brake_network *networks; /* of logins */
    uint32_t n_rows, n_networks;
    bool is_storing;
    bool has_failed; /* said so */
    struct due retry;
};

MUST_USE int quotas_init(struct policy *policy);
void quotas_fini(struct policy *policy);
void quotas_stop(struct policy *policy); /* answers what waits, stores what is used */

void quotas_take_tally(struct policy *policy, const struct tally_row *row);
void quotas_note_login(struct policy *policy, const struct user *user, struct ip_address peer);
void quotas_directory_changed(struct policy *policy);

/* ---- between quotas.c and its neighbours ---- */

/* quotas_store.c: what is due to be stored is, one transaction at a time. */
void quotas_store(struct policy *policy);
void quotas_note_count(struct policy *policy, const struct personal_count *count);
void quotas_note_network(struct policy *policy, const struct brake_network *network);
MUST_USE int quotas_load(struct policy *policy);
void quotas_answer(struct quota_request *request);

/* quotas_brake.c */
bool quotas_is_braked(const struct policy *policy, const struct user *user);
void quotas_look_at(struct policy *policy, const struct user *user, struct brake_grounds grounds);
struct slice quotas_address_of(const struct user *user);
