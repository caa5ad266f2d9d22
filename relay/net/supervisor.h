/* The parent: forks one child per role, joins the first two by a fresh SOCK_SEQPACKET pair, starts
 * again whatever ends, hands out reloads, and takes everything down on SIGTERM.  No threads, no
 * libevent, nothing from the network.
 * Signals: TERM and INT drain (CHANNEL_DRAIN, after 30 s KILL); HUP reloads, as does a change of a
 * watched file (inotify on the folders of path and of its real path, so that a renewed symbolic
 * link counts; one second of quiet first).
 * Thread: the process's only one; supervisor_run() blocks until all children have ended. */
#pragma once

#include "relay/base/fault.h"
#include "relay/net/channel.h"

enum { SUPERVISOR_MAX_ROLES = 4, SUPERVISOR_MAX_WATCHED = 64, SUPERVISOR_WHY_SIZE = 512 };

struct supervisor_role {
    const char *name; /* "relay": process title, events */

    /* In the child, signals at their defaults but SIGHUP ignored and SIGINT ignored (the parent
     * sends what is to be done over the channel); dies with the parent.  channel_fd: blocking; its
     * first message is CHANNEL_START.  Drops its user itself (privileges.h).  Returns the exit
     * status. */
    int (*run)(void *owner, int channel_fd);

    /* In the parent, before each start and each reload: bytes and descriptors to send; message is
     * zeroed, the descriptors are closed after sending.  May be NULL.  0, or -errno: the start
     * is tried again later, the reload is not sent. */
    int (*fill)(void *owner, struct channel_message *message);
};

struct supervisor_plan {
    void *owner;
    const struct supervisor_role *roles;
    size_t n_roles;

    /* Reads the settings and certificates anew and keeps them for fill(); on failure keeps the old
     * and writes why.  0 or -errno.  May be NULL: then HUP is ignored. */
    int (*reload)(void *owner, char why[SUPERVISOR_WHY_SIZE]);

    /* Paths whose change is a reload; asked at start and after each reload.  May be NULL. */
    size_t (*watched)(void *owner, const char *paths[SUPERVISOR_MAX_WATCHED]);

    int drain_ms;           /* 0: 30 s */
    int first_backoff_ms;   /* 0: 100 ms, then doubled; the first restart is immediate */
    int longest_backoff_ms; /* 0: 10 s; a child that lived that long starts with a clean slate */
};

/* 0 after an ordered end; the exit status or 128 + signal of a child that failed while draining is
 * ignored.  -errno when it could not even start. */
MUST_USE int supervisor_run(const struct supervisor_plan *plan);
