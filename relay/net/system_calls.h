/* Which system calls a process may still make: seccomp (seccomp(2)), one list for each role.  A
 * call that is not on it fails with EPERM and is told once by its number and name: nothing waits
 * and nothing dies of it, so a library that learns a new call degrades instead of losing mail.
 * Thread: confine before others start; the rest as noted. */
#pragma once

#include <stdbool.h>

#include "relay/base/fault.h"

enum system_calls_role { SYSTEM_CALLS_RELAY, SYSTEM_CALLS_SIGNER };

enum {
    SYSTEM_CALLS_MISSING = 1, /* the kernel has no seccomp filters */
    SYSTEM_CALLS_SANITIZED,   /* this build's sanitizer needs calls that no list of ours should have
                               */
};
/* 0, one of the above (then every call stays), or -errno: the process must end. */
MUST_USE int system_calls_confine(enum system_calls_role role);

/* Readable when a call was refused since system_calls_tell(); -1 without a filter. */
int system_calls_refused_fd(void);

/* Events for the calls refused so far, each number once in a process.  The thread that polls. */
void system_calls_tell(const char *process);

/* Tests play older kernels: false is as if the kernel had none. */
extern bool system_calls_are_there;
