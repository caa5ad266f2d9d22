/* How long a guess at a password has to wait.  Counted per address (v4, or v6 by /64), per user,
 * and per pair of both.  Every guess first reserves its turn as if it were going to fail; success
 * gives the turn back.  So many connections at once guess no faster than one. address   at most 5
 * guesses start in any one second; delays grow after 10 failures user      delays grow after 20
 * failures, of which one address makes at most 5 pair      delays grow after 3 failures Nobody is
 * locked out: delays have an upper bound and failures fade.  A pair that logged in before is slowed
 * only by its own failures, so an attack on a user, or from a neighbour behind the same address,
 * does not touch who is known. Thread: the owner's (policy thread); pure, the clock is an argument.
 */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/net/socket_address.h"

enum {
    THROTTLE_GUESSES_PER_SECOND = 5,
    THROTTLE_LONGEST_WAIT_MS = 10000, /* a turn further away is not reserved */
};

struct throttle;

/* Remembers at most `capacity` addresses, users and pairs; the least recently seen goes first. */
MUST_USE int throttle_new(struct throttle **out, uint32_t capacity);
struct throttle *throttle_free(struct throttle *throttle); /* accepts NULL, returns NULL */

/* One guess.  A value made by throttle_guess(); start_ms is set by throttle_reserve(). */
struct throttle_guess {
    uint64_t address, user, pair;
    int64_t start_ms;
};

/* revision changes with the user's password, so that whoever mends a password starts afresh. */
struct throttle_guess throttle_guess(struct ip_address peer, struct slice user, uint64_t revision);

/* True: the password may be checked at guess->start_ms (now or later), which must be followed by
 * exactly one of _succeeded, _failed and _withdrawn.  False: not before guess->start_ms, nothing is
 * reserved. */
MUST_USE bool throttle_reserve(struct throttle *throttle, struct throttle_guess *guess,
                               int64_t now_ms);
void throttle_succeeded(struct throttle *throttle, const struct throttle_guess *guess,
                        int64_t now_ms);
void throttle_failed(struct throttle *throttle, const struct throttle_guess *guess, int64_t now_ms);
void throttle_withdrawn(struct throttle *throttle, const struct throttle_guess *guess);
