/* What many requests ask alike: words, times, limits, each read strictly.  Each answers 422 and
 * returns false when it cannot.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"
#include "webui/filter_words.h"

/* text NULL: no words.  `bad_filter` with params {at, length, word}. */
bool asking_filter(struct exchange *exchange, const char *text, struct filter_words *out);

/* The query's RFC 3339 time or seconds of UTC, in milliseconds; absent: *out stays. */
bool asking_time(struct exchange *exchange, const char *name, int64_t *out);
bool asking_until(struct exchange *exchange, int64_t *until_utc_ms); /* `to`; the earlier holds */

bool asking_limit(struct exchange *exchange, uint32_t usual, uint32_t most, uint32_t *out);
