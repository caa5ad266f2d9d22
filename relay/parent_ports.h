/* The listening sockets of a bundle: those of the settings, the control socket, the panel's.  A
 * socket whose address text did not change is kept over a reload, so no connection is refused.
 * Thread: the parent's only one. */
#pragma once

#include "relay/bundle.h"

/* Fills bundle->listeners; before: the bundle that serves now, or an empty one.
 * A start waits up to three seconds for an address that is in use, a reload does not.
 * 0 or -errno with the reason in problem. */
MUST_USE int parent_ports_open(struct bundle *bundle, const struct bundle *before,
                               struct buffer *problem);
