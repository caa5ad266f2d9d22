/* Reports to senders (RFC 3461, 3464): which recipients of an outcome deserve one, and its message,
 * which goes into the same transaction as the verdicts.  Failures, delays and successes are told
 * apart: a program that reads only bounces must not find a delivery in one.  Thread: the loop's. */
#pragma once

#include "relay/delivery/outcome.h"
#include "relay/message/dsn.h"

struct bounce_report {
    struct envelope envelope;
    struct recipient recipient;
    struct slice piece;
    struct buffer text;
    uint32_t n_recipients;
};

/* Whether this item's sender is to be told of this action, by the verdict, NOTIFY, the user's
 * choice, and the null sender. */
bool bounce_is_wanted(const struct outcome *outcome, const struct outcome_item *item,
                      enum dsn_action action);

/* Whether failures of this message are collected for a digest, and there is room to. */
bool bounce_is_collected(const struct outcome *outcome);

/* Instead of a report: failures to be stored with the outcome.  0, -EAGAIN as below, or -ENOMEM. */
MUST_USE int bounce_collect(struct outcome *outcome);

/* Writes one report for all items that want one of this action, and how it is stored; *out stays
 * NULL when none does.  0, -EAGAIN: the original's bytes are not in memory (fetch them and call
 * again), or -ENOMEM. */
MUST_USE int bounce_write(struct outcome *outcome, enum dsn_action action,
                          struct bounce_report **out, struct spool_append *append);
/* How a report whose text is written is addressed and stored. */
struct bounce_receiver {
    uint32_t user_id;
    struct slice user, sender;
};
void bounce_address(struct bounce_report *report, const struct delivery_shard *shard,
                    const struct bounce_receiver *receiver, const struct dsn_facts *facts,
                    struct spool_append *append);

void bounce_free(struct bounce_report *report); /* accepts NULL */
