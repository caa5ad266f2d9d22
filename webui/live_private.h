/* Between the files of the streams.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"
#include "webui/live.h"

void live_append(struct live_stream *stream, const char *text); /* and wakes it */

/* malloc()ed; NULL without memory. */
char *live_event_text(uint64_t number, enum live_topic topic, json_t *data);

void live_ask_lines(struct live *live); /* those since the last time */
