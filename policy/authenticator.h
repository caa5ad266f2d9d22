/* Is this the user's password?  Asked by a session; answered by the policy thread, later.
 * A credential that was right within the last 5 minutes is answered from a cache (keyed digest,
 * dropped when the user or the credential changes); others wait for their turn (throttle.h) and are
 * hashed in the worker pool.  Equal questions at one time share one hash.  An unknown or disabled
 * user, or one without a password, costs the same hash, the same time, the same answer.
 * The waiting is done here: the asker only awaits its answer, at most some 15 s.
 * Thread: ask from any; request and bytes are not touched until done() runs, on the asker's. */
#pragma once

#include "policy/policy.h"
#include "relay/net/socket_address.h"

enum login_verdict {
    LOGIN_OK,        /* 235 2.7.0; user_id is set */
    LOGIN_WRONG,     /* 535 5.7.8, whatever the cause */
    LOGIN_THROTTLED, /* not even tried: 454 4.7.0, retry_ms says when to come back */
    LOGIN_BUSY,      /* 454 4.7.0 */
};

/* Passwords at one door are not asked for at another, nor remembered for it. */
enum login_door {
    LOGIN_SMTP,
    LOGIN_PANEL_USER,  /* a user's own password, none that was made for a program */
    LOGIN_PANEL_ADMIN, /* compared with `hash`: administrators are no users (access_book.h) */
};

struct login_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct login_request *request);
    struct slice user, password; /* the asker's; it wipes the password afterwards */
    struct ip_address peer;
    enum login_door door;
    struct slice hash; /* LOGIN_PANEL_ADMIN: argon2id */
    enum login_verdict verdict;
    uint32_t user_id;      /* LOGIN_OK, of users */
    int64_t retry_ms;      /* LOGIN_THROTTLED: from now */
    const char *reason;    /* "password", "unknown user", …: for the log, never for the peer */
    struct policy *policy; /* the policy's */
};

/* False: full, nothing happened; answer 454 4.7.0. */
MUST_USE bool login_ask(struct policy *policy, struct login_request *request);
