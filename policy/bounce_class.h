/* Why a recipient could not be served, in one word: from the reply (phase, code, enhanced code,
 * text) by data (policy/bounce_classes.conf), first condition first, conservatively: what says no
 * more than "550 5.7.1" is policy, not spam.
 * Thread: any; values. */
#pragma once

#include <stdbool.h>

enum bounce_class {
    BOUNCE_OTHER, /* nothing fits */
    BOUNCE_BAD_MAILBOX,
    BOUNCE_BAD_DOMAIN,
    BOUNCE_MAILBOX_FULL,
    BOUNCE_MAILBOX_CLOSED,  /* disabled, inactive, suspended: exists no longer, or not now */
    BOUNCE_BLOCKED_ADDRESS, /* our address is on a list, or known to them as bad */
    BOUNCE_BLOCKED_CONTENT, /* the sender's domain, a link, or what the message says */
    BOUNCE_AUTHENTICATION,  /* SPF, DKIM, DMARC, PTR */
    BOUNCE_POLICY,          /* refused by a rule of theirs that they do not name */
    BOUNCE_SLOW_DOWN,       /* too fast, too many, greylisted: the same mail is welcome later */
    BOUNCE_TOO_BIG,
    BOUNCE_PROTOCOL, /* commands, syntax, TLS, AUTH: the two servers do not understand each other */
    BOUNCE_NETWORK,  /* not reached, lost, timed out, DNS silent */
    BOUNCE_SERVER,   /* their disk, their database, their mistake */
    BOUNCE_EXPIRED,  /* its time was over and no attempt says more */
    N_BOUNCE_CLASSES
};

const char *bounce_class_name(enum bounce_class bounce_class); /* "bad_mailbox": for log and API */

/* About the recipient alone: it says nothing about us, our addresses or the mail. */
bool bounce_class_is_about_recipient(enum bounce_class bounce_class);
