/* What keeps two processes of one user apart: Landlock (landlock(7)), for where the service cannot
 * give each its own.  Outside the named folders nothing can be opened, made or removed by a path,
 * and no process outside can be traced; descriptors at hand go on as they are.  Rules only add:
 * what lies below a granted folder cannot be taken out again, so the folders are named narrowly.
 * Thread: before others start; there is no way back. */
#pragma once

#include "relay/base/fault.h"

enum { CONFINEMENT_MOST_PATHS = 16 };

struct confinement {
    const char *writable[CONFINEMENT_MOST_PATHS]; /* NULL ends each list; */
    const char *readable[CONFINEMENT_MOST_PATHS]; /* what is not there is passed over */
};

/* The folders of the system that every process reads: libraries, zones, names, certificates. */
extern const char *const confinement_system[];

enum { CONFINEMENT_MISSING = 1 };
/* 0; CONFINEMENT_MISSING: this kernel has none, everything stays reachable; or -errno. */
MUST_USE int confinement_enter(const struct confinement *confinement);
