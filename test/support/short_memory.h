/* Memory that runs out for some threads: those that joined get NULL from the n-th malloc, calloc,
 * realloc, reallocarray or strdup of our own code on, for so many calls.  A test that wants it is
 * linked to test_support_short_memory.
 * Thread: any; short_memory_join() and _leave() speak for the caller's. */
#pragma once

#include <stdbool.h>

void short_memory_join(void);
bool short_memory_leave(void); /* was it one of them? */

void short_memory_set(int n, int n_calls); /* 1: the next one */
void short_memory_end(void);
int short_memory_n_calls(void);     /* since then */
bool short_memory_has_failed(void); /* since it was set */
