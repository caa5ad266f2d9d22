/* Who the relay runs as and what it may reach: its data folders, what the system offers to all, and
 * the ports of the settings.  What could not be had is said in the log and by health.
 * Thread: the service's; service_confine() before others start. */
#pragma once

#include "relay/service_parts.h"

/* 0 or -errno; then the process must end. */
MUST_USE int service_confine(struct service *service);

/* False when settings need what the sandbox did not grant at the start, which cannot be had any
 * more: *why says it. */
bool service_is_granted(const struct service *service, const struct settings *settings,
                        const char **why);
