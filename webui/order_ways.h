/* Operators' orders that lead one of our addresses to a pool: does anything stand in for it, or do
 * they lead round in a circle?  (What follows from them: relay/delivery/standing_ways.h.)
 * Thread: any; values. */
#pragma once

#include "policy/directory.h"
#include "relay/control/config.h"

/* False: the addresses of that pool are all led away themselves, back to this one at last.  What is
 * neither an `egress` nor a pool of the settings is nobody's business here. */
bool order_way_leaves_some(const struct settings *settings, const struct directory *directory,
                           const struct order *wanted, int64_t utc_ms);
