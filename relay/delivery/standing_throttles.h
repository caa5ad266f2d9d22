/* Operators' throttles of domains and sites.  A receiver counts by its hosts: a domain's throttle
 * holds for the site that takes its mail, and of several the strictest.  While the domain has no
 * mail it stays there, for the pace's sake; when the domain leads elsewhere it ends there.
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

/* What an order says, in the schedule's words; when it ends (INT64_MAX: never) and when it
 * was given, monotonic. */
struct site_limits standing_limits_of(const struct order *order);
int64_t standing_end_of(const struct delivery_shard *shard, const struct order *order);
int64_t standing_begin_of(const struct delivery_shard *shard, const struct order *order);

/* Orders changed or ended: all sites, in one walk over orders and one over sites. */
void standing_throttles_apply(struct delivery_shard *shard);

/* A site was made. */
void standing_throttles_meet_site(struct delivery_shard *shard, struct site *site);

/* The domain leads to this site of ours (NULL: another loop's) from now on, and no longer to any
 * other, of whichever loop.  After schedule_route(). */
void standing_throttles_route(struct delivery_shard *shard, struct slice domain, struct site *site);
