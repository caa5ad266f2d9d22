/* What the table of providers says, in the words of the schedule: whose site it is, its limits, how
 * its hosts are spoken to.  What is not in the table is as the settings say.
 * Thread: the loop's. */
#pragma once

#include "relay/delivery/target.h"

/* Whose site these hosts are; NULL: nobody's we know.  It lives as long as the config. */
const struct provider_entry *providers_find(const struct delivery_config *config,
                                            struct slice domain, const struct target_host *hosts,
                                            size_t n_hosts);

/* Not a provider's, but the row for sites that are only partly one's. */
bool providers_is_mixed(const struct provider_entry *entry);

/* A site of this provider is spoken to so: on top of what policy says already. */
void providers_shape(const struct provider_entry *entry, struct target_policy *policy);

/* Which loop owns its sites: one for all sites of a provider. */
struct slice providers_owner_name(const struct target_plan *plan);

/* The site is the provider's from now on (NULL, or the entry for mixed sets: nobody's), and the
 * provider's limits are the table's. */
void providers_join(struct delivery_shard *shard, struct site *site,
                    const struct provider_entry *entry);

/* Settings or the table changed: the limits of all providers of this loop are those of config. */
void providers_apply(struct delivery_shard *shard);
