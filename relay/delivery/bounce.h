/* Reports to senders (RFC 3461, 3464): which recipients of an outcome deserve one, and its message,
 * which goes into the same transaction as the verdicts.  Thread: the loop's. */
#pragma once

#include "relay/delivery/outcome.h"

struct bounce_report {
    struct spool_append append; /* update.reports */
    struct envelope envelope;
    struct recipient recipient;
    struct slice piece;
    struct buffer text;
    uint32_t n_recipients;
};

/* Whether this item's sender is to be told, by NOTIFY, the user's choice, and the null sender. */
bool bounce_is_wanted(const struct outcome *outcome, const struct outcome_item *item);

/* Writes one report for all items that want one; *out stays NULL when none does.  0, -EAGAIN: the
 * original's bytes are not in memory (fetch them and call again), or -ENOMEM. */
MUST_USE int bounce_write(struct outcome *outcome, struct bounce_report **out);
void bounce_free(struct bounce_report *report); /* accepts NULL */
