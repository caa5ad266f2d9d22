/* Between the files of history.  Thread: the event thread's. */
#pragma once

#include <fcntl.h>

#include "relay/events/history.h"

/* Removes days that are too many for the bytes they may take, and of those that are too old the
 * oldest: a clock that is wrong costs one a look.  Without trusts_clock, none for its age. */
void history_keep(const struct history_settings *settings, int64_t utc_ms, bool trusts_clock);
