/* The brake for stolen passwords: what each user does within an hour, and from where it logs in.
 * Somebody who got hold of a password sends to many at once, to lists with many dead addresses, or
 * from a botnet's many networks.  So within an hour at least 200 recipients, and
 *   at least a tenth of them (or of those concluded in that hour, if these are more) were bad
 *   mailboxes, or
 *   logins came from at least five networks (v4 by /24, v6 by /48) that the thirty days before it
 *   did not know, where they knew two at most.
 * Of the bad mailboxes those of one receiver (a provider, or a domain that is nobody's) count for
 * half of the needed tenth at most, unless half of the hour's mail went there: whoever subscribes
 * dead addresses of his own domain must not hold a stranger's mail. Who is watched for less than a
 * day (a new user, or a new service) has no history that a network could be new to: there the
 * second condition waits. An hour is twelve buckets of five minutes and the present one. Thread:
 * the owner's (policy thread); pure, the clock is an argument (UTC: history outlives us).
 */
#pragma once

#include "policy/key_table.h"
#include "relay/net/socket_address.h"

enum {
    BRAKE_RECIPIENTS = 200,
    BRAKE_BAD_PERCENT = 10,
    BRAKE_NEW_NETWORKS = 5,
    BRAKE_KNOWN_NETWORKS = 2,
    BRAKE_HISTORY_DAYS = 30,
    BRAKE_MOST_NETWORKS = 64, /* of a user; the least recent is forgotten */
    BRAKE_RECEIVERS = 12,     /* watched within five minutes; those with the fewest bad give way */
};

enum brake_cause { BRAKE_NOT, BRAKE_BAD_MAILBOXES, BRAKE_LOGINS };
const char *brake_cause_name(enum brake_cause cause); /* "bad_mailboxes", "logins" */

/* Why, for log and people. */
struct brake_grounds {
    enum brake_cause cause;
    uint32_t n_recipients, n_bad, n_networks;
};

struct brake_book {
    struct key_table watches; /* by user */
    int64_t since_utc_ms;     /* the history begins here */
};

void brake_book_init(struct brake_book *book, int64_t utc_ms);
void brake_book_fini(struct brake_book *book);

/* Each says whether the brake is to be pulled now: BRAKE_NOT also once it was, until
 * brake_book_release().  Without memory nothing is seen. */
struct brake_grounds brake_book_accepted(struct brake_book *book, uint32_t user_id,
                                         uint32_t n_recipients, int64_t utc_ms);
/* What became of recipients of one receiver; no name: of any, which are counted without a bound.
 * n_concluded may be told without the name, and n_bad with it. */
struct brake_conclusions {
    struct slice receiver;
    uint32_t n_concluded, n_bad;
};
struct brake_grounds brake_book_concluded(struct brake_book *book, uint32_t user_id,
                                          const struct brake_conclusions *what, int64_t utc_ms);

/* *is_noteworthy: a network that is new, or was not stored for a day: it should be stored now. */
struct brake_grounds brake_book_login(struct brake_book *book, uint32_t user_id,
                                      struct ip_address peer, int64_t created_utc_ms,
                                      int64_t utc_ms, bool *is_noteworthy);

/* An operator looked at it: what was seen so far counts as known. */
void brake_book_release(struct brake_book *book, uint32_t user_id);

/* It could not be pulled: the next that is seen says so again. */
void brake_book_rearm(struct brake_book *book, uint32_t user_id);

/* ---- the history ---- */

struct brake_network {
    uint32_t user_id;
    uint64_t network; /* brake_network_of() */
    int64_t first_utc_ms, last_utc_ms;
};

/* v4: the /24; v6: the /48, and above them which of the two it is. */
uint64_t brake_network_of(struct ip_address peer);

/* As found at start: nothing older than BRAKE_HISTORY_DAYS.  -ENOMEM. */
MUST_USE int brake_book_load(struct brake_book *book, const struct brake_network *network);
