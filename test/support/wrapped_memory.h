/* The allocations of the code under test, which the linker leads here (--wrap): each asks first
 * whether it is to fail.  Who links it says so (failing_memory.c, short_memory.c).  Thread: any. */
#pragma once

#include <stdbool.h>

bool wrapped_memory_fails(void); /* true: errno is set, and the call gives NULL */
