/* How long a guess at a password has to wait.  Counted per address (v4, or v6 by /64), per user,
 * and per pair of both:
 *   address   at most 5 guesses start in any one second; delays grow after 10 failures
 *   user      delays grow after 20 failures, of which one address makes at most 5
 *   pair      delays grow after 3 failures
 * Every guess first reserves its turn as if it were going to fail; success gives the turn back, so
 * many connections at once guess no faster than one.  Delays have an upper bound and failures fade.
 * A pair that logged in before is slowed only by its own failures, so an attack on a user, or from
 * a neighbour behind the same address, does not touch who is known. After 100 failures in a row of
 * strangers (pairs that never logged in), a user takes guesses from known addresses alone: until
 * one of them logs in, the password changes, or a day has passed.  The same wrong password again
 * counts once: a forgotten program is no guesser (NIST SP 800-63B 5.2.2). Thread: the owner's
 * (policy thread); pure, the clock is an argument. */
#pragma once

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/net/socket_address.h"

enum {
    THROTTLE_GUESSES_PER_SECOND = 5,
    THROTTLE_LONGEST_WAIT_MS = 10000, /* a turn further away is not reserved */
    THROTTLE_FAILURES_IN_A_ROW = 100, /* of strangers at one user; then it is shut to them */
    THROTTLE_SHUT_MS = 86400 * 1000,
};

struct throttle;

/* Remembers at most `capacity` (6 or more) addresses, users and pairs; the least recently seen goes
 * first, but known pairs and users who are being guessed at, up to half of all, go last.  A guess
 * that is refused is not remembered. */
MUST_USE int throttle_new(struct throttle **out, uint32_t capacity);
struct throttle *throttle_free(struct throttle *throttle); /* accepts NULL, returns NULL */

/* One guess.  A value made by throttle_guess(). */
struct throttle_guess {
    uint64_t address, user, pair;
    uint64_t password; /* the asker's keyed digest of it; 0: always another one */
    int64_t asked_ms;  /* when it came */
    int64_t start_ms;  /* when it may be checked, or asked about again */
    bool has_waited;   /* its growing delay is reserved; only the address's pace is left to check */
};

/* revision changes with the user's password, so that whoever mends a password starts afresh. */
struct throttle_guess throttle_guess(struct ip_address peer, struct slice user, uint64_t revision,
                                     int64_t now_ms);

enum throttle_turn {
    TURN_NOW,     /* check the password; exactly one of _succeeded, _failed, _withdrawn follows */
    TURN_LATER,   /* ask again at guess->start_ms */
    TURN_REFUSED, /* too long a wait: come back at guess->start_ms with a new guess */
};
enum throttle_turn throttle_reserve(struct throttle *throttle, struct throttle_guess *guess,
                                    int64_t now_ms);
void throttle_succeeded(struct throttle *throttle, const struct throttle_guess *guess);
void throttle_failed(struct throttle *throttle, const struct throttle_guess *guess, int64_t now_ms);
void throttle_withdrawn(struct throttle *throttle, const struct throttle_guess *guess);
