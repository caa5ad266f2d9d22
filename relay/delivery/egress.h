/* May we send over IPv6 from this address of ours?  Only when its name checks (`ipv6 = "checked"`),
 * since receivers refuse others: looked at when settings come, every hour, and soon after a
 * receiver refused us over IPv6.  One for each number of the egress table.  The first loop asks,
 * all read the result.  Thread: the first loop's; egress_takes_v6(), egress_doubt() and
 * egress_note() any. */
#pragma once

#include <stdatomic.h>

#include "relay/delivery/config.h"
#include "relay/net/name_check.h"

enum egress_state {
    EGRESS_UNCHECKED, /* no answer yet */
    EGRESS_GOOD,
    EGRESS_NO_NAME,
    EGRESS_OTHER_NAME,
};

struct egress {
    struct loop *loop;
    struct resolver *resolver;
    struct name_check check;
    uint32_t number; /* in the egress table */
    struct timer timer;
    struct ip_address address; /* family 0: none is to be checked */
    int64_t checked_ms;        /* when it was last asked, monotonic */
    bool is_asking;
    _Atomic int state;     /* enum egress_state; of address */
    atomic_bool is_wanted; /* there is an address, and ipv6 = "checked" */
    atomic_bool is_doubted;
};

/* All EGRESS_MOST of them. */
void egress_init_all(struct egress *all, struct loop *loop);
void egress_apply_all(struct egress *all, struct resolver *resolver,
                      const struct delivery_config *config);
void egress_tick_all(struct egress *all); /* a few times a second */
void egress_fini_all(struct egress *all);

/* Are AAAA records of mail hosts of any use to it now? */
bool egress_takes_v6(const struct egress *egress, const struct delivery_config *config);

/* Could they ever be?  Then a host without A is not unusable for good. */
bool egress_knows_v6(const struct delivery_config *config, uint32_t number);

/* A receiver refused us for our v6 address or could not be reached over it. */
void egress_doubt(struct egress *egress);

/* For health: a sentence that stays, or NULL when nothing is amiss. */
const char *egress_note(const struct egress *egress);
