/* What a test of the way says: every step and outcome in one table.
 * Thread: the loop's; private to path_*.c. */
#pragma once

#include "relay/schedule/path.h"

enum path_word {
    PATH_ROUTE_FIXED,
    PATH_ROUTE_SUSPENDED,
    PATH_ROUTE_MALFORMED,
    PATH_ROUTE_NO_HOP,
    PATH_ROUTE_NO_EGRESS,
    PATH_MX_FOUND,
    PATH_MX_IMPLICIT,
    PATH_MX_LITERAL,
    PATH_MX_NULL,
    PATH_MX_NO_DOMAIN,
    PATH_MX_UNUSABLE,
    PATH_MX_NO_ANSWER,
    PATH_ADDRESS_FOUND,
    PATH_ADDRESS_NONE,
    PATH_ADDRESS_NOT_PUBLIC,
    PATH_ADDRESS_OURS,
    PATH_ADDRESS_OTHER_FAMILY,
    PATH_NAME_GOOD,
    PATH_NAME_OTHER,
    PATH_NAME_MISSING,
    PATH_NAME_UNCONFIRMED,
    PATH_NAME_NO_ANSWER,
    PATH_NAME_PRIVATE,
    PATH_PACE_FREE,
    PATH_PACE_SUSPENDED,
    PATH_PACE_NOT_NOW,
    PATH_CONNECTED,
    PATH_CONNECT_FAILED,
    PATH_BANNER_GOOD,
    PATH_BANNER_REFUSED,
    PATH_TLS_VERIFIED,
    PATH_TLS_UNVERIFIED,
    PATH_TLS_UNVERIFIED_WANTED,
    PATH_TLS_NOT_OFFERED,
    PATH_TLS_NOT_OFFERED_WANTED,
    PATH_TLS_REFUSED,
    PATH_TLS_FAILED,
    PATH_TLS_FAILED_WANTED,
    PATH_TLS_NEVER,
    PATH_EHLO_GOOD,
    PATH_EHLO_REFUSED,
    PATH_AUTH_GOOD,
    PATH_AUTH_REFUSED,
    PATH_MAIL_GOOD,
    PATH_MAIL_LATER,
    PATH_MAIL_REFUSED,
    PATH_RCPT_GOOD,
    PATH_RCPT_LATER,
    PATH_RCPT_REFUSED,
    PATH_QUIT_GOOD,
    PATH_LOST,
    PATH_UNREACHED,
    PATH_CANCELLED,
    PATH_OUT_OF_TIME,
    PATH_NO_MEMORY,
    N_PATH_WORDS
};

/* values: of the row's parameters, in their order; the sentence names them as {name}.  NULL
 * without memory.  phase: the step of a word that belongs to any (PATH_LOST); else NULL. */
struct path_step *path_step_new(enum path_word word, const char *phase, const char *const *values);
