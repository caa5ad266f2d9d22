/* Has one of our addresses a name, and does the name lead back to it?  Receivers ask the same
 * before they take mail over IPv6 (5.7.25).  PTR (RFC 1035 3.5, RFC 3596 2.5), then AAAA or A of at
 * most NAME_CHECK_NAMES names.  An answer comes on a later turn.
 * Thread: the loop's. */
#pragma once

#include "relay/net/resolver.h"

enum { NAME_CHECK_NAMES = 4 };

enum name_verdict {
    NAME_UNKNOWN,     /* DNS gave no answer: ask again */
    NAME_CONFIRMED,   /* name says which */
    NAME_MISSING,     /* no PTR record */
    NAME_UNCONFIRMED, /* no name leads back to the address */
};

/* Embed it, set done and address, start. */
struct name_check {
    void (*done)(struct name_check *check); /* may start it again */
    struct ip_address address;

    enum name_verdict verdict;
    char name[DNS_NAME_SIZE]; /* the one that was confirmed, or tried last; empty: none */

    struct resolver *resolver; /* name_check.c's, as is the rest */
    struct dns_query query;
    char names[NAME_CHECK_NAMES][DNS_NAME_SIZE];
    unsigned n_names, at;
    bool is_unsure; /* an answer is missing */
};
void name_check_start(struct name_check *check, struct resolver *resolver);
void name_check_cancel(struct name_check *check); /* harmless when it does not run */

/* "25.2.0.192.in-addr.arpa" */
void name_check_reverse(struct ip_address address, char out[DNS_NAME_SIZE]);
