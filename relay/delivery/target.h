/* Where a site's mail goes: its hosts by preference, and how they are spoken to.  It hangs on the
 * schedule's site and dies with it.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"
#include "relay/schedule/operate.h"

struct target_host {
    uint16_t preference;
    char *name; /* or an address */
};

/* Domains whose hosts are the same are one site, though each names them in its own order. */
enum { TARGET_MOST_WAYS = 8 }; /* then the oldest is forgotten */
struct target_way {
    struct target_host *hosts; /* by preference, counted from 0; equal ones by name */
    size_t n_hosts;
};

struct provider_entry;

struct target {
    struct delivery_shard *shard;
    struct site *site;
    struct target_policy policy; /* slices into config */
    struct delivery_config *config;
    struct target_way ways[TARGET_MOST_WAYS];
    uint8_t n_ways, next_way;
    bool is_mixed;     /* some of its hosts are a provider's: the table's careful limits hold */
    uint32_t shown_at; /* operate_destinations.c: its place in the list being made */
    struct last_reply *last; /* what it said last; NULL: nothing since the start */
    uint64_t throttled_for;  /* standing_orders.c: the name whose order slows it down; 0: none */
};

/* What makes a site: name, hosts, manners.  Borrowed. */
struct target_plan {
    struct slice site_name;
    struct target_policy policy;
    struct delivery_config *config; /* what policy's slices look into */
    const struct target_host *hosts;
    size_t n_hosts;
    const struct provider_entry *provider; /* in config's book; NULL: nobody's */
};

/* The site of that name with these hosts and manners; made when unknown; NULL without memory.
 * *way: the number of the order that the hosts are in, for domain->way. */
struct site *target_ensure(struct delivery_shard *shard, const struct target_plan *plan,
                           uint8_t *way);
void target_free(struct target *target); /* schedule_hooks.on_site_unused */

static inline struct target *target_of(const struct site *site)
{
    return site->owner;
}

struct judgement;
/* Kept for those who look at the destination; without memory the one before stays. */
void target_note_reply(struct target *target, const struct judgement *judgement);

/* An order to try the hosts in: by preference, equal ones shuffled. */
enum { TARGET_MAX_HOSTS = MX_MAX_HOSTS };
size_t target_order(const struct target_host *hosts, size_t n_hosts,
                    uint8_t order[TARGET_MAX_HOSTS]);
