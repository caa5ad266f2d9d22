/* What the table of providers says, as limits of the schedule.  Pure.  Thread: any. */
#pragma once

#include "policy/provider_table.h"
#include "relay/schedule/limits.h"

/* Over all of its sites and all addresses of ours. */
struct site_limits shaping_of_provider(const struct provider_limits *said);

/* Of each address of ours towards each of its sites: on top of what limits says already. */
void shaping_of_lane(const struct provider_limits *said, struct site_limits *limits);
