/* Who the relay runs as, and what keeps it from the signer's keys: a user of its own, else
 * Landlock.  What could not be had is said in the log and by health.  Thread: before others. */
#pragma once

#include "relay/service_parts.h"

/* 0 or -errno; then the process must end. */
MUST_USE int service_confine(struct service *service);
