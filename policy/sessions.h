/* How many sessions are open: in all, per address (v6 by /64), per user.  A session holds a ticket
 * from its first moment to its last; handing the ticket back cannot fail and needs no memory, so no
 * count leaks, whatever way a session ends.
 * Thread: ask and return from any; answers run on the asker's thread. */
#pragma once

#include "policy/policy.h"
#include "relay/net/socket_address.h"

enum session_verdict {
    SESSION_OK,
    SESSION_TOO_MANY, /* 421 4.7.0 for all of these */
    SESSION_TOO_MANY_OF_ADDRESS,
    SESSION_TOO_MANY_OF_USER,
};

struct session_ticket; /* opaque; one per open session */

struct session_request {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct session_request *request);
    struct ip_address peer;        /* for session_open() */
    uint32_t user_id;              /* for session_use() */
    uint32_t max_sessions;         /* for session_use(): of this user; 0: the service's limit */
    struct session_ticket *ticket; /* open: set on SESSION_OK, yours; use: yours before and after */
    enum session_verdict verdict;
    struct policy *policy; /* the policy's */
};

/* Asks for a ticket.  False: full, nothing happened. */
MUST_USE bool session_open(struct policy *policy, struct session_request *request);

/* Counts an open session as the user's too; at most once per ticket. */
MUST_USE bool session_use(struct policy *policy, struct session_request *request);

/* The session ended.  Accepts NULL; not while a session_use() is under way. */
void session_ticket_return(struct session_ticket *ticket);

const char *session_verdict_text(enum session_verdict verdict); /* "too many sessions from …" */
