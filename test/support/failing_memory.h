/* Memory that runs out on command: the n-th malloc, calloc, realloc or reallocarray of our own code
 * gives NULL, and every later one too.  A test that wants it is linked to test_support_memory.
 * Thread: one. */
#pragma once

/* 1: the next one fails; 0: none does. */
void memory_fail_at(unsigned n);

/* Runs attempt with the first allocation failing, then the second, and so on, until it says 0;
 * every other result must be error.  Returns how often it failed.  Events go nowhere meanwhile. */
unsigned memory_fail_everywhere(int (*attempt)(void), int error);
