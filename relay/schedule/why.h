/* The one answer to "why is it waiting, until when?".  It is made by the function that decides
 * whether something may leave, not by a second guess.  Thread: any; a value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum why_kind {
    WHY_NOTHING,            /* nothing is queued there */
    WHY_NEXT,               /* nothing stands in its way: it is the next in line */
    WHY_BEHIND,             /* its site is at work on others before it */
    WHY_SENDING,            /* a transaction is going on, or its outcome is being stored */
    WHY_RETRY,              /* its last attempt was put off; it is tried again at until_ms */
    WHY_HELD,               /* held; an operator or a rule releases it */
    WHY_RESOLVING,          /* DNS has not answered yet */
    WHY_SUSPENDED,          /* an operator suspended the destination */
    WHY_UNREACHABLE,        /* the site could not be reached; one more try at until_ms */
    WHY_CONNECTIONS,        /* all connections that the site may have are busy */
    WHY_CONNECTION_PACE,    /* so many new connections a minute */
    WHY_MESSAGE_PACE,       /* so many messages a second, minute, hour or day */
    WHY_PERMITS,            /* all outgoing connections that we may have are in use */
    WHY_SIGNER,             /* the process that signs does not answer; it is being started again */
    WHY_PAUSED,             /* outcomes cannot be stored, or we are stopping: nothing new starts */
    WHY_RESTS,              /* a reply of the destination made it rest until until_ms */
    WHY_PROBED,             /* after a rest or a failure one message shows whether it goes again */
    WHY_SLOWED,             /* replies said slower: its pace is lower for a while */
    WHY_PROVIDER_SUSPENDED, /* as above, of the whole provider */
    WHY_PROVIDER_RESTS,
    WHY_PROVIDER_CONNECTIONS,
    WHY_PROVIDER_CONNECTION_PACE,
    WHY_PROVIDER_PACE,
    WHY_ADDRESS_SUSPENDED, /* as above, of the address (all of them) it could leave from */
    WHY_ADDRESS_RESTS,
    WHY_WARM_UP,            /* the day's room of the addresses it could leave from is used up */
    WHY_NO_ADDRESS,         /* no address is in the pool it leaves from */
    WHY_QUOTA,              /* held: its user is over a quota until until_ms */
    WHY_BRAKED,             /* held: its user's password may be stolen */
    WHY_USER_SUSPENDED,     /* an operator suspended its user's mail */
    WHY_USER_PACE,          /* an operator slowed its user's mail down */
    WHY_CAMPAIGN_SUSPENDED, /* the same, of its campaign */
    WHY_CAMPAIGN_PACE,
    N_WHYS
};

/* An answer without a time. */
#define WHY_SIMPLY(kind_) ((struct why){.kind = (kind_), .until_ms = -1, .since_ms = -1})

struct why {
    enum why_kind kind;
    int64_t until_ms;   /* monotonic; -1: when something else happens, not at a time */
    int64_t since_ms;   /* monotonic; -1: not known */
    const char *reason; /* a reply, an operator's words; NULL: none.  The site's memory */
};

bool why_stands_without_mail(enum why_kind kind); /* a suspension, a rest, an unreachable site */

const char *why_name(enum why_kind kind); /* "retry_time", stable for the API */

/* One sentence without the time: "the destination could not be reached". */
const char *why_sentence(enum why_kind kind);

/* The one thing an operator could do about it, as a command's words; NULL when there is none. */
const char *why_action(enum why_kind kind);
