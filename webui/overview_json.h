/* How it goes, as the API and the stream show it.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

json_t *overview_json(const struct webui *webui);       /* all of the last look */
json_t *overview_queue_json(const struct webui *webui); /* {queued,held,oldest_seconds,by_state} */
