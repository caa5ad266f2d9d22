/* What people see of a site at a glance: how fast it goes, how fast it may, how long mail waits.
 * Thread: the schedule's owner; now_ms is monotonic. */
#pragma once

#include "relay/schedule/site.h"

/* Messages that were picked for it within the last whole ten seconds, as a rate. */
uint32_t site_per_minute(const struct site *site, int64_t now_ms);

/* What bounds it over all addresses of ours: its own limits and its provider's, and those of its
 * lanes together; the strictest of each.  0: none. */
struct site_limits site_limits_together(const struct site *site);

/* When the oldest of what waits for a site arrived is not kept up to date with each message: looks,
 * numbered from 1, walk all entries now and then.  note: of each entry met, by look `number`;
 * found: what the last whole look (number `whole`) saw, UTC ms, 0: nothing, or nobody knows. */
void site_age_note(struct site *site, uint32_t number, int64_t arrived_utc_ms);
int64_t site_age_found(const struct site *site, uint32_t whole);
