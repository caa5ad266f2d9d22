/* Lines of the log as the API shows them.  Thread: the panel's. */
#pragma once

#include "relay/base/event.h"
#include "webui/exchange.h"

/* {number,ts,level,event,fields,line} of what log_ring_print() laid out. */
json_t *log_line_json(struct reader *reader);

bool log_level_named(const char *name, enum event_level *out); /* debug, info, warning, error */
