/* A test of the way to an address, as an operator asks for it: from DNS to the reply to RCPT, as
 * delivery would go, told step by step; no message is sent.  From each address of ours in turn, or
 * from one.  Words only, below delivery, so that the panel's API knows them (see operate.h).
 * Thread: ask from any; on_step() and done() run on the asker's. */
#pragma once

#include <stdatomic.h>

#include "relay/base/mailbox.h"

enum {
    PATH_TEXT = 512,
    PATH_MOST_PARAMS = 4,
    PATH_MOST_MS = 180000, /* of a whole test; what is not tried by then is not tried */
    PATH_ONE_MS = 60000,   /* of one of our addresses */
    PATH_PHASE_MS = 30000, /* of one reply: delivery would wait longer */
    PATH_TURN_MS = 30000,  /* of waiting for limits and paces */
};

enum path_verdict { PATH_OK, PATH_WARN, PATH_FAIL };

struct path_step {
    struct task task;
    struct delivery_path *request;
    const char *name, *code;   /* constants: "connect", "refused" */
    enum path_verdict verdict; /* WARN: mail may go, not as it should, or not now */
    int64_t ms;                /* since the step before */
    char egress[64];           /* which address of ours, by name; empty: of none in particular */
    unsigned n_params;
    struct {
        const char *name; /* constant */
        char value[PATH_TEXT];
    } params[PATH_MOST_PARAMS];
    char sentence[2 * PATH_TEXT]; /* English; the code with its params says the same */
};

/* Embed it; the asker's until done(). */
struct delivery_path {
    struct task task;
    struct mailbox *answer_to;
    void (*on_step)(struct path_step *step); /* whose it is from then on: free() */
    void (*done)(struct delivery_path *request);
    char address[PATH_TEXT]; /* local@domain */
    char egress[64];         /* name or address of one of ours; empty: each in turn */
    _Atomic bool is_cancelled;
};
