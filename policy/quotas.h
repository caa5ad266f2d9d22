/* What a user may send: asked once per message, while its body is still on its way, and answered in
 * parallel.  Only users with a quota need to be asked about; what others send is told by a tally
 * (tally.h).  What was asked and did not come is given back.
 * Thread: ask from any; answers run on the asker's thread. */
#pragma once

#include "policy/brake_book.h"
#include "policy/campaign_book.h"
#include "policy/directory.h"
#include "policy/personal_mail.h"
#include "policy/policy.h"
#include "policy/quota_book.h"

enum quota_verdict {
    QUOTA_PASSES,
    QUOTA_HELD,    /* over a quota: accepted, held until `until_utc_ms` */
    QUOTA_BRAKED,  /* the brake holds all mail of this user: accepted, held for an operator */
    QUOTA_REFUSED, /* over a quota, and this user wants to be told so */
};

struct quota_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct quota_request *request);
    uint32_t user_id, n_recipients;
    bool wants_transactional;
    /* out */
    enum quota_verdict verdict;
    bool is_transactional;
    bool is_over;             /* a quota, whatever else holds it */
    uint32_t delay_ms;        /* of the final reply; then quota_give_back() with ends_delay */
    enum quota_budget budget; /* what is used up */
    int64_t until_utc_ms;     /* 0: an operator decides */
    int64_t counted_utc_ms;
    struct policy *policy; /* the policy's, as is the next */
    struct quota_request *next;
};

/* False: too much waits, and nothing happened. */
MUST_USE bool quota_ask(struct policy *policy, struct quota_request *request);

/* Of a request that was answered: its message did not come (n_messages 1), or was not transactional
 * after all, or its delay is over.  Cannot fail; without memory the count stays. */
struct quota_return {
    struct quota_refund refund;
    bool ends_delay;
    bool is_class_exceeded; /* it was to be transactional, and went as bulk */
};
void quota_give_back(struct policy *policy, const struct quota_return *what);

/* What the service's own limits (`limits`) and the user's make together. */
void quota_limits_of(const struct user *user, const struct quota_limits *defaults,
                     struct quota_limits *out);
bool quota_limits_exist(const struct quota_limits *limits);

/* ---- what people are told ---- */

enum quota_notice_kind { NOTICE_QUOTA, NOTICE_BRAKED };
struct quota_notice {
    enum quota_notice_kind kind;
    uint32_t user_id;
    struct slice user, address; /* address: who is to read it; empty: nobody is known */
    struct quota_warning warning;
    struct brake_grounds grounds;
};

/* Runs on the policy thread.  Set once, before the loops run. */
void quotas_on_notice(struct policy *policy,
                      void (*tell)(void *owner, const struct quota_notice *notice), void *owner);

/* ---- how it stands ---- */

/* Of each of these users: what is used of its quotas now, and the quotas in force. */
struct quota_use {
    uint32_t user_id; /* in */
    /* out */
    uint32_t used[N_QUOTA_BUDGETS];
    struct quota_limits limits;
};
struct quota_uses_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct quota_uses_request *request);
    struct quota_use *uses; /* the asker's */
    uint32_t n_uses;
    struct policy *policy; /* the policy's */
};
MUST_USE bool quota_ask_uses(struct policy *policy, struct quota_uses_request *request);

/* The campaigns seen lately, the most recent first. */
struct campaigns_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct campaigns_request *request);
    uint32_t most; /* of them */
    /* out */
    uint32_t n_campaigns;
    struct campaign *campaigns;   /* the asker frees; NULL without memory */
    struct campaign_counts other; /* folded into one */
    uint64_t n_folded;
    struct policy *policy; /* the policy's */
};
MUST_USE bool quota_ask_campaigns(struct policy *policy, struct campaigns_request *request);
