/* What a system call that is not on the list does: it fails with EPERM, at the very place and in
 * the thread that made it, and is noted until system_calls_tell().  Private to system_calls.c.
 * Thread: refused_calls_start() before others start; the rest happens wherever a call is made. */
#pragma once

#include "relay/base/fault.h"

/* Before the filter that sends SIGSYS is loaded.  0 or -errno. */
MUST_USE int refused_calls_start(void);

/* As in seccomp(2)'s manual; free() it.  NULL: nobody knows it.  system_calls.c's. */
char *refused_calls_name(int call);
