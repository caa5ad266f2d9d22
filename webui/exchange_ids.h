/* Queue ids of a body.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* The member "ids", sorted, in the arena; false after answering 422: one is none, or none is there
 * (an empty list is somebody's search that found nothing: it must not mean "any"). */
bool exchange_ids(struct exchange *exchange, const uint64_t **ids, size_t *n);
