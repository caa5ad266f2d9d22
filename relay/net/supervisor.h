/* The parent: forks one child per role, joins the first two by a fresh SOCK_SEQPACKET pair, starts
 * again whatever ends, hands out reloads, and takes everything down on SIGTERM.  No threads, no
 * libevent, nothing from the network.  A child that lost its peer while that lives asks for a fresh
 * pair (CHANNEL_PEER_LOST) and gets it a second after the last one at the soonest; one that does
 * not take what it is sent is killed. Signals: TERM and INT drain (CHANNEL_DRAIN to the first role;
 * when it has ended to the next; after 30 s, or at a second signal, KILL); HUP reloads, as does a
 * change of a watched file (after a second of quiet). Events: child_started, child_ended, reloaded,
 * reload_failed, draining, stopped; systemd is told the same, and READY when all roles have said
 * CHANNEL_READY (notify.h; the log's `ready` is the role's own, behind its `listening` lines).
 * Thread: the process's only one; supervisor_run() blocks until all children have ended. */
#pragma once

#include "relay/base/fault.h"
#include "relay/net/channel.h"

enum { SUPERVISOR_MAX_ROLES = 4, SUPERVISOR_MAX_WATCHED = 64, SUPERVISOR_WHY_SIZE = 512 };

/* A child that ends with this status before its first CHANNEL_READY cannot be helped by starting
 * it again: supervisor_run() takes the others down and returns it (EX_CONFIG of sysexits.h). */
enum { SUPERVISOR_HOPELESS = 78 };

struct supervisor_role {
    const char *name; /* "relay": at most 14 characters; process name, events */

    /* In the child.  Descriptors: 0 to 2 and channel_fd, nothing else of the parent's is open.
     * HUP, INT, TERM and PIPE are ignored (the channel says what is to be done); dies with the
     * parent.  channel_fd is blocking and its first message is CHANNEL_START; end of file means
     * that the parent is gone.  Drops its user itself (privileges.h).  Returns the exit status. */
    int (*run)(void *owner, int channel_fd);

    /* In the parent, before each start and each reload: appends bytes and descriptors to the zeroed
     * message; they are closed after sending, so duplicate what is kept.  NULL: nothing to send,
     * and no reload.  0 or -errno: tried again later, a reload is skipped. */
    int (*fill)(void *owner, struct channel_message *message);
};

struct supervisor_plan {
    void *owner;
    const struct supervisor_role *roles;
    size_t n_roles;

    /* Reads the settings and certificates anew and keeps them for fill(); on failure keeps the old
     * and writes why.  0 or -errno.  NULL: nothing to reload. */
    int (*reload)(void *owner, char why[SUPERVISOR_WHY_SIZE]);

    /* Paths whose change is a reload; asked at start and after each reload.  May be NULL. */
    size_t (*watched)(void *owner, const char *paths[SUPERVISOR_MAX_WATCHED]);

    int drain_ms;           /* 0: 30 s */
    int first_backoff_ms;   /* 0: 100 ms, doubled each time; the first restart is immediate */
    int longest_backoff_ms; /* 0: 10 s; a child that lived that long starts with a clean slate */
};

/* 0 after an ordered end, SUPERVISOR_HOPELESS, or -errno when it could not even start. */
MUST_USE int supervisor_run(const struct supervisor_plan *plan);

/* "Add this to the message": duplicates fd (the caller's stays open). 0 or -errno. */
MUST_USE int supervisor_add_fd(struct channel_message *message, int fd);
