/* All that a child gives up, in the one order that works: user, capabilities, memory to others,
 * files and ports, system calls.  Says in the log what it has and what it could not get.
 * Thread: before others start; there is no way back. */
#pragma once

#include "relay/net/confinement.h"
#include "relay/net/privileges.h"
#include "relay/net/system_calls.h"

struct sandbox {
    const char *process; /* for the log */
    const char *user;
    enum system_calls_role role;
    bool reads_system; /* names, zones, certificates: confinement_system() */
    struct confinement confinement;
};

struct sandbox_got {
    enum privileges_result user;
    struct confinement_got paths;
    int calls; /* 0, SYSTEM_CALLS_MISSING or SYSTEM_CALLS_SANITIZED */
};

/* True when nothing but file rights of one user, or of root, keeps relay and signer apart as far as
 * users go: Landlock does it too, but a root of that name is more than it should be. */
bool sandbox_lacks_user(const struct sandbox_got *got);

/* 0 or -errno; then the process must end. */
MUST_USE int sandbox_enter(const struct sandbox *sandbox, struct sandbox_got *got);

/* The next thing that could not be had, as a sentence; NULL after the last.  *place begins as 0. */
const char *sandbox_lack(const struct sandbox_got *got, unsigned *place);
