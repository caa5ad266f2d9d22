/* From a recipient's domain to the site that takes its mail, and to the loop that owns the site:
 * suspension, fixed route, address literal, or DNS; and what happens when there is no way.
 * RFC 5321 5.1, RFC 7505.  Thread: the loop's. */
#pragma once

#include "relay/delivery/shard.h"

enum { ROUTER_MOST_LOOKUPS = 500, ROUTER_MOST_CACHED = 100000 };

void router_init(struct delivery_shard *shard);

/* schedule_hooks.on_domain_wanted: looked at in the next router_run(). */
void router_want(struct delivery_shard *shard, struct domain *domain);

/* Looks up what is wanted, within bounds. */
void router_run(struct delivery_shard *shard);

void router_cancel(struct delivery_shard *shard); /* lookups under way are dropped */

/* Settings or suspensions changed: every domain is looked at anew at its next use. */
void router_forget(struct delivery_shard *shard);

/* An address literal's address, as text: "[192.0.2.1]". */
bool router_read_literal(struct slice domain, struct slice *address);

/* "mx1.example.net,mx2.example.net": what names a site, from its hosts in any order. */
void router_site_name(const struct mx_query *query, struct buffer *out);
