/* Warnings to users as mail: a quota that is nearly or wholly used up, and a password that may be
 * stolen.  One letter each, from mailer-daemon to the user's contact, counted to no quota; the
 * events are told whether it can be sent or not.
 * Thread: delivery_notice() any; the rest that of the first loop. */
#pragma once

#include "policy/quotas.h"
#include "relay/base/list.h"

struct delivery;

enum { NOTICES_MOST = 1000 }; /* on their way into the queue; one more is not written */

struct notice_desk {
    struct list letters;
    _Atomic uint32_t n_letters;
};

void notice_desk_init(struct notice_desk *desk);
void notice_desk_fini(struct notice_desk *desk);

/* Before delivery_free(); what it points at is copied. */
void delivery_notice(struct delivery *delivery, const struct quota_notice *notice);
