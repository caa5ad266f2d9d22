/* How often something happened lately, by key: exact over any window, and since when a key is
 * known. Thread: the loop's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sink_tally; /* NULL is an empty one; made by its first use */

/* True, and counted, when fewer than n of this key were counted in the window that ends now.  The
 * same n at every call for one tally.  Without memory: true. */
bool sink_tally_admit(struct sink_tally **tally, const char *key, uint32_t n, int64_t window_ms,
                      int64_t now_ms);

/* When the key was first asked for; now_ms the first time. */
int64_t sink_tally_first_ms(struct sink_tally **tally, const char *key, int64_t now_ms);

struct sink_tally *sink_tally_free(struct sink_tally *tally); /* NULL in, NULL out */
