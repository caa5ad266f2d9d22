/* The figures of bounce_counts.h for whoever asks, from the policy thread, which keeps them.
 * Thread: ask from any; done() runs on the asker's. */
#pragma once

#include "policy/bounce_counts.h"
#include "relay/base/buffer.h"
#include "relay/base/mailbox.h"

struct policy;
struct tally_row;

/* Rows: u32 class, u64 failed, u64 deferred, u8 is_other, counted name; only those that are not 0.
 * is_other: what names beyond the bound were folded into.  A campaign's name is "USER/NAME". */
struct bounce_report_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct bounce_report_request *request);
    enum bounce_by by;
    /* out */
    struct buffer rows;    /* the asker frees */
    struct policy *policy; /* the policy's */
};
MUST_USE bool bounce_report_ask(struct policy *policy, struct bounce_report_request *request);

/* tally.c's: rows of TALLY_BOUNCES_...; on the policy thread. */
void bounce_report_take(struct policy *policy, const struct tally_row *row);
