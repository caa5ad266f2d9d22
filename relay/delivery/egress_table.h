/* Our addresses by number, their pools, and whose mail leaves from which.  Number 0 is what
 * `delivery { bind }` says; the others are `egress` sections, and keep their numbers over reloads,
 * for the schedule's lanes know an address by its number.  Part of delivery's config, and as
 * immutable.  Thread: any. */
#pragma once

#include "relay/base/arena.h"
#include "relay/delivery/settings.h"
#include "relay/schedule/lane.h"

struct egress_address {
    bool is_used;             /* a number without an address has none */
    struct slice name;        /* empty: number 0 */
    struct ip_address v4, v6; /* .family 0: none */
    struct slice hostname;    /* in EHLO; empty: the service's */
    uint32_t weight;
    struct warm_up_curve warm_up;
};

struct egress_pool {
    struct slice name;
    uint16_t members; /* bit n: address n */
    const struct slice *users, *domains;
    size_t n_users, n_domains;
    int message_class; /* enum message_class; -1: none */
};

struct egress_table {
    struct egress_address addresses[EGRESS_MOST];
    struct egress_pool pools[POOL_MOST]; /* 0: what no other takes; numbers stay as well */
    size_t n_pools;                      /* some of them may be without a name: not in use */
};

/* former (NULL: none): whose numbers are kept.  0; -EINVAL: too many, or a pool of an address that
 * there is not; -ENOMEM. */
MUST_USE int egress_table_fill(struct egress_table *table, const struct delivery_settings *settings,
                               const struct egress_table *former, struct arena *arena);

/* The pool of this mail: its user's, its sender's domain's, its class's, or 0. */
uint32_t egress_table_pool(const struct egress_table *table, struct slice user, struct slice sender,
                           enum message_class message_class);

/* The number of the pool of that name, or -1. */
int egress_table_pool_named(const struct egress_table *table, struct slice name);

void egress_table_plan(const struct egress_table *table, struct egress_plan *out);

/* What operators ordered of addresses: to[n] is the pool that takes over the part of number n
 * wherever it is in one, or -1.  An address that is led away itself stands in for none; where they
 * lead round in a circle nothing is left, and the mail waits. */
void egress_plan_lead(struct egress_plan *plan, const int8_t to[EGRESS_MOST]);

/* The address of number egress to bind to.  False: it has none of that family; then only number 0
 * may go, from wherever the kernel likes. */
bool egress_table_bind(const struct egress_table *table, uint32_t egress, int family,
                       struct ip_address *out);

/* The number of one of our addresses, or -1. */
int egress_table_find(const struct egress_table *table, struct ip_address address);

/* Bit n: number n means another address than before (an other one, or one at all). */
uint32_t egress_table_moved(const struct egress_table *former, const struct egress_table *table);

/* The same, or it greets with another name. */
uint32_t egress_table_changed(const struct egress_table *former, const struct egress_table *table);
