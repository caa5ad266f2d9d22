/* What paths and TCP ports a process may still use: Landlock (landlock(7)), from its first version
 * up to the newest; what the kernel does not know stays open and is told.  Outside the named
 * folders nothing can be opened, made, run or removed by a path; nobody outside can be traced or
 * (version 6) sent a signal; descriptors at hand go on as they are.  Rules only add: what lies
 * below a granted folder cannot be taken out again, so the folders are named narrowly.
 * Thread: before others start; there is no way back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/base/fault.h"

enum { CONFINEMENT_MOST_PATHS = 16 };

struct confinement {
    const char *writable[CONFINEMENT_MOST_PATHS]; /* NULL ends each list; */
    const char *readable[CONFINEMENT_MOST_PATHS]; /* what is not there is passed over */
    const char *const *system;                    /* more to read, NULL: none */
    bool has_network;   /* false: TCP neither out nor in; true: out, and bound to port 0 only */
    bool is_restricted; /* out to connect_ports only */
    const uint16_t *connect_ports;
    size_t n_connect_ports;
};

/* What a process reads of the system: libraries, zones, names, certificates.  As root only the
 * files that are meant, since nothing else keeps it from the others below /etc. */
const char *const *confinement_system(void);

/* What the kernel could give. */
struct confinement_got {
    int version; /* of Landlock; 0: none */
    bool has_files, has_ports, has_signals;
};

/* Tests play older kernels: no version above this is believed. */
extern int confinement_newest_version;

/* 0, whatever the kernel knows (*got says it), or -errno: then the process must end. */
MUST_USE int confinement_enter(const struct confinement *confinement, struct confinement_got *got);
