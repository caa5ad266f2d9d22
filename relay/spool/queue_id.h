/* Queue ids: 64-bit numbers that grow with time, shown as [A-Z0-9]+ (ten characters this century).
 * Unique on this machine, also over restarts and clocks that step back (queue_id_seen()).
 * Thread: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "relay/base/slice.h"

enum { QUEUE_ID_SIZE = 16 }; /* text and its NUL */

uint64_t queue_id_new(void); /* never 0 */

/* No later id will be id or less; called with the largest id found at start. */
void queue_id_seen(uint64_t id);

void queue_id_format(uint64_t id, char out[QUEUE_ID_SIZE]);

/* False unless text is a whole id (lower case is taken too). */
bool queue_id_parse(struct slice text, uint64_t *out);

/* The smallest id of that moment. */
uint64_t queue_id_at(int64_t utc_ms);
