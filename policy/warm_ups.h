/* The desk of young addresses on the policy thread: what a loop may send from one address to one
 * provider today, granted in blocks that are stored before they are used.  If the database fails,
 * mail passes, counted in memory alone.
 * Thread: warm_ups_ask() from any; answers run on the asker's.  The rest: the policy thread. */
#pragma once

#include "policy/policy.h"
#include "policy/warm_up.h"

struct warm_ups_query {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct warm_ups_query *query);
    struct slice address, provider;    /* the asker's, until done() */
    const struct warm_up_curve *curve; /* the same */
    struct warm_up_news news;
    struct warm_up_answer answer; /* out; nothing granted and no end without memory */
    struct policy *policy;        /* the policy's, as is the next */
    struct warm_ups_query *next;
};

/* Cannot fail; the query stays until done(). */
void warm_ups_ask(struct policy *policy, struct warm_ups_query *query);

/* Where each address stands with each provider. */
struct warm_ups_list {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct warm_ups_list *list);
    /* out */
    uint32_t n_views;
    struct warm_up_view {
        char address[48], provider[256];
        struct warm_up_state state;
    } * views;             /* the asker frees; NULL without memory */
    struct policy *policy; /* the policy's */
};
MUST_USE bool warm_ups_ask_list(struct policy *policy, struct warm_ups_list *list);

/* ---- inside policy/ ---- */

struct warm_ups {
    struct warm_up_book book;
    struct warm_ups_query *first, **last; /* answered when what they got is stored */
    bool is_storing;
};
MUST_USE int warm_ups_init(struct policy *policy);
void warm_ups_fini(struct policy *policy);
void warm_ups_stop(struct policy *policy); /* stores what is not */
