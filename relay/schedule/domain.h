/* The recipient domains of a schedule and where their mail goes; the owner looks them up.
 * Thread: the schedule's owner. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/list.h"
#include "relay/base/slice.h"

struct entry;
struct schedule;
struct site;

/* A recipient domain as we know it; the site it leads to may change with DNS. */
struct domain {
    struct list unrouted;     /* entries that wait for DNS */
    struct list owner_link;   /* the owner's, for rows of domains to look up */
    struct list routing_link; /* while it has both a site and unrouted entries */
    char *name;               /* lower case */
    uint64_t hash;
    struct site *site;      /* NULL: not known yet */
    int64_t fresh_until_ms; /* then it is looked up again, at the next use */
    uint32_t n_entries, n_unrouted;
    bool is_asked; /* on_domain_wanted() was called and not answered yet */
    uint8_t way;   /* the owner's: in which order it names the hosts of its site */
};

struct domain *schedule_domain(struct schedule *schedule, struct slice name); /* NULL: unknown */

/* The domain leads to site from now on (NULL: not to one of ours); what waited for that becomes
 * due in the next schedule_advance(); what waits elsewhere follows when its turn comes. */
void schedule_route(struct schedule *schedule, struct domain *domain, struct site *site,
                    int64_t fresh_until_ms);

/* The owner is asked again (on_domain_wanted), though the answer is fresh: for one, for all. */
void schedule_reconsider(struct schedule *schedule, struct domain *domain);
void schedule_reconsider_all(struct schedule *schedule);

/* What cannot be routed here (no answer from DNS, another loop's site) is handed out, SENDING, one
 * at a time; NULL: no more.  The domain may be gone after the last one is finished. */
struct entry *schedule_take_unrouted(struct schedule *schedule, struct domain *domain);
