/* Between the files of history.  Thread: the event thread's. */
#pragma once

#include <fcntl.h>

#include "relay/events/history.h"

/* Removes days that are too old, or too many for the bytes they may take. */
void history_keep(const struct history_settings *settings, int64_t utc_ms);
