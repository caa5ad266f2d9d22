/* What a process gives up, and the limits it raises first.  Thread: before others start. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"

/* Raises RLIMIT_NOFILE towards wanted (as root above the hard limit too); returns what holds. */
unsigned long privileges_raise_file_limit(unsigned long wanted);
unsigned long privileges_raise_lock_limit(unsigned long wanted); /* RLIMIT_MEMLOCK, bytes */

struct user_ids {
    uid_t uid;
    gid_t gid;
};
enum { NO_SUCH_USER = 1 };
/* 0, NO_SUCH_USER or -errno. */
MUST_USE int privileges_find_user(const char *name, struct user_ids *out);

/* What became of privileges_become(): health reports anything but DROPPED or KEPT_AS_ASKED. */
enum privileges_result {
    PRIVILEGES_DROPPED,
    PRIVILEGES_KEPT_AS_ASKED, /* already that user, or none was asked for */
    PRIVILEGES_NOT_ROOT,      /* cannot change: runs as the caller */
    PRIVILEGES_NO_SUCH_USER,  /* runs as the caller */
};

/* The kernel kills this process when its parent, whose id is parent, ends.  A change of user
 * forgets that: privileges_become() asks for it again.  0, or -ESRCH when it is gone already. */
MUST_USE int privileges_die_with(pid_t parent);

/* No core files, and no other process of this user may read this memory (PR_SET_DUMPABLE).  A
 * change of user undoes it: after privileges_become().  0 or -errno. */
MUST_USE int privileges_hide_memory(void);

/* No program started from here gets more rights than we have: no set-user-id.  0 or -errno. */
MUST_USE int privileges_no_new(void);

/* Gives up every capability but these (bit n is capability n), for ever.  0 or -errno. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))
MUST_USE int privileges_keep(uint64_t capabilities);

/* initgroups, setgid, setuid, no capability left, no new privileges; checks that there is no way
 * back.  A root that stays root is one without its powers: it owns its files and no others.  0 or
 * -errno (then the process must end). */
MUST_USE int privileges_become(const char *name, enum privileges_result *result);
