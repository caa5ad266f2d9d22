/* The making of one key, step by step; each step is asked of somebody else and goes on when the
 * answer comes.  Thread: the desk's loop; private to relay/control. */
#pragma once

#include "policy/judge.h"
#include "policy/registry_domains.h"
#include "policy/worker_pool.h"
#include "relay/control/key_desk.h"
#include "signer/client.h"

enum ceremony_step {
    CEREMONY_CREATE,   /* signer: the private half */
    CEREMONY_ADD_ROW,  /* registry: the public half */
    CEREMONY_SIGN,     /* signer: a first signature */
    CEREMONY_JUDGE,    /* libopendkim: is it good? */
    CEREMONY_MARK,     /* registry: it is judged */
    CEREMONY_CHOOSE,   /* registry: active, unless another key of the type is */
    CEREMONY_ACTIVATE, /* signer: sign with it */
    CEREMONY_DONE,
};

struct ceremony {
    struct loop *loop;
    struct registry *registry;
    struct worker_pool *workers;
    struct signer_client *client;
    struct judge *judge;
    void (*finished)(struct ceremony *ceremony); /* order says how */

    struct key_order *order;
    struct key_made *key; /* the one being made */
    enum ceremony_step step;
    struct key_request key_request;
    struct sign_request sign_request;
    struct domain_key_request row;
    struct job job;
    struct buffer header; /* the signature */
    int message_fd;
    struct judge_verdict verdict;
    bool has_key, has_row; /* made by this ceremony: taken back when a later step fails */
};

/* Makes order->made[order->n_made] and counts it when it is done.  What a step that fails leaves
 * behind, at the signer and in the registry, is taken back.  A key that the signer has and the
 * registry does not (a crash in between) is taken over. */
void ceremony_begin(struct ceremony *ceremony, struct key_order *order, struct slice selector,
                    enum dkim_key_type type);
