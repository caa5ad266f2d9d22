/* The event thread: takes events from every other thread and writes them where they are read.  The
 * log is its first sink; history and counters follow.  Mail never waits for it: when its mailbox is
 * full, events collapse into one exact count, told by `event=history_gap n=…` once there is room.
 * Thread: start and stop from the process's first thread; emitting from any. */
#pragma once

#include "relay/base/event.h"
#include "relay/base/fault.h"

struct events;

/* From here on event_emit() goes through the thread.  0 or -errno. */
MUST_USE int events_start(struct events **out);

/* Writes what waits, ends the thread, and gives events back to stderr directly.  Nothing else may
 * emit meanwhile.  Accepts NULL, returns NULL. */
struct events *events_stop(struct events *events);
