/* Whether rules that are each in order are so together: what a rule's samples say is decided by
 * that rule at each of its providers (so that none stands in another's shadow), and its steps grow.
 * Pure.  Thread: any. */
#pragma once

#include "policy/reply_rules.h"

void reply_rules_check(const struct reply_rules *rules, const struct provider_table *table,
                       struct data_reader *reader);
