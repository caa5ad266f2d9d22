/* The events of delivery: one per recipient and outcome, with the fields that the log's readers
 * rely on.  Thread: the loop's. */
#pragma once

#include "relay/base/log.h"
#include "relay/delivery/outcome.h"

void tell_recipient(const struct outcome *outcome, const struct outcome_item *item);
void tell_report(const struct outcome *outcome, const struct bounce_report *report);
void tell_digest(const struct bounce_report *report);

/* The name of the site that an entry leads to, or its domain's. */
const char *telling_site(const struct delivery_shard *shard, const struct entry *entry);
