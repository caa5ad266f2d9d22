/* Today's counts of personal_mail.h for whoever asks, from the policy thread, which keeps them.
 * Thread: ask from any; done() runs on the asker's. */
#pragma once

#include "policy/personal_mail.h"
#include "relay/base/mailbox.h"

struct policy;

struct personal_report_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct personal_report_request *request);
    uint32_t most; /* domains and providers: those with the most mail */
    /* out */
    uint32_t n_counts;
    struct personal_count *counts; /* the most first; the asker frees; NULL without memory */
    struct policy *policy;         /* the policy's */
};
MUST_USE bool personal_report_ask(struct policy *policy, struct personal_report_request *request);
