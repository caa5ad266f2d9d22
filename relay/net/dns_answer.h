/* What an answer means: from libunbound's codes and the bytes to a query's outputs.  Pure.
 * Thread: the loop's; private to relay/net. */
#pragma once

#include "relay/net/resolver.h"

enum dns_security { DNS_INSECURE, DNS_BOGUS, DNS_SECURE }; /* as libunbound numbers them */

enum { DNS_NEGATIVE_TTL = 300 }; /* seconds, when the answer itself does not say */

/* As before the question was asked. */
void dns_answer_reset(struct dns_query *query);

/* Fills every output; keeps a copy of wire in the query. */
void dns_answer_take(struct dns_query *query, int rcode, struct slice wire,
                     enum dns_security security, const char *why_bogus);

/* An outcome without an answer; detail may be NULL. */
void dns_answer_set(struct dns_query *query, enum dns_status status, const char *why,
                    const char *detail);
