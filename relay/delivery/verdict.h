/* What a reply means for a recipient, from the phase, the code and the enhanced code: one table.
 * RFC 5321 4.2, 4.5.3.1.10; RFC 3463; RFC 7504.  Pure.  Thread: any. */
#pragma once

#include "relay/smtp/phase.h"
#include "relay/smtp/reply.h"

enum verdict {
    VERDICT_NONE, /* nobody has judged: never what becomes of a recipient */
    VERDICT_DELIVERED,
    VERDICT_LATER,    /* deferred: an attempt, tried again by the steps */
    VERDICT_AGAIN,    /* no attempt: too many recipients at once, goes in another transaction */
    VERDICT_FAILED,   /* for good: a report to the sender */
    VERDICT_EXPIRED,  /* its time is over: a report, too */
    VERDICT_HELD,     /* waits for an operator */
    VERDICT_RELEASED, /* no longer held */
    VERDICT_DELETED,  /* an operator ended it: no report */
    VERDICT_DELAYED,  /* stays as it is; its sender is told that it is late */
    N_VERDICTS
};

/* n_accepted: recipients of the transaction that were accepted before (RCPT). */
enum verdict verdict_of(enum smtp_phase phase, const struct smtp_reply *reply, uint32_t n_accepted);

/* Whether the reply asks us to come less: the slow start goes back. */
bool verdict_says_slower(enum smtp_phase phase, const struct smtp_reply *reply);
