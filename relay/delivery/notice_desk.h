/* Warnings as mail: to users, of a quota that is nearly or wholly used up and of a password that
 * may be stolen; to the operator, of what a receiver said (a reply rule that notifies): of each
 * rule once an hour, of all NOTICES_OF_RULES a day, at most.  One letter each, from mailer-daemon,
 * counted to no quota; the events are told whether it can be sent or not.
 * Thread: delivery_notice(), notice_of_rule() any; the rest that of the first loop. */
#pragma once

#include "policy/quotas.h"
#include "relay/base/list.h"

struct delivery;

enum {
    NOTICES_MOST = 1000, /* on their way into the queue; one more is not written */
    NOTICES_OF_RULES = 24,
};

struct notice_desk {
    struct list letters;
    struct {
        uint64_t rule; /* hash of its name */
        int64_t at_ms;
    } told[NOTICES_OF_RULES]; /* the last letters, in turn */
    uint32_t n_told;
    _Atomic uint32_t n_letters;
};

void notice_desk_init(struct notice_desk *desk);
void notice_desk_fini(struct notice_desk *desk);

/* Before delivery_free(); what it points at is copied. */
void delivery_notice(struct delivery *delivery, const struct quota_notice *notice);

/* A letter about the rule of this hash may go now, and does. */
bool notice_desk_may_tell(struct notice_desk *desk, uint64_t rule, int64_t now_ms);

struct rule_notice {
    struct slice rule, reason;   /* as the rule says */
    const char *site, *provider; /* provider NULL: none */
    struct slice egress, reply;  /* from our address, this was said */
};
void notice_of_rule(struct delivery *delivery, const struct rule_notice *notice);
