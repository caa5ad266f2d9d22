/* What the test receiver shall do differently.  One rule a line, `#` comments:
 *
 *   PHASE [CONDITION ...] -> [delay=T] [drip=T] [REPLY | drop | lose]
 *
 * PHASE   CONNECT EHLO STARTTLS MAIL RCPT DATA BODY DOT RSET NOOP QUIT.  BODY is the first octets
 *         of a message (no reply fits there), DOT its end.
 * The rule applies when all its conditions hold; T is N and ms, s, m or h:
 * match=RE    POSIX extended expression over the command's argument (DOT: over the message),
 *             blanks as \s; case plays no part
 * every=N     only every N-th time that the rest holds
 * from=T      not before T after the receiver began; until=T: not from then on
 * rate=N/T    one too many: N were let through in the window of T that ends now.  What a rule
 *             answers is not let through, what a later rule answers is.
 * open=N      CONNECT: more than N connections are open, this one among them
 * per=SCOPE   what rate and open count together: all (usual), or one peer's address, one listener,
 *             one sender, one domain of recipients (open: peer or listener)
 * new=T       RCPT: T has not passed since peer, sender and recipient first came together
 * delay=T     before the reply, BODY: before reading on; alone, later rules still apply
 * drip=T      the reply goes out octet by octet, T apart; alone, later rules still apply
 * REPLY       goes out as written, "\n" makes further lines; after 421 the connection is closed
 * drop        closes without a word; lose: DOT, takes the message first
 * The first rule that replies, drops or loses decides.  Thread: the loop's. */
#pragma once

#include "relay/base/buffer.h"
#include "relay/cli/sink_rule.h"

struct sink_verdict {
    int64_t delay_ms, drip_ms;
    const char *reply; /* the script's, lines separated by LF; NULL: as usual */
    enum sink_ending ending;
};

struct sink_script; /* NULL is the empty script */

/* 0, -EINVAL with a sentence in problem, or -errno. */
MUST_USE int sink_script_load(struct sink_script **out, const char *path, struct buffer *problem);
struct sink_script *sink_script_free(struct sink_script *script); /* NULL in, NULL out */

/* Counts the match of every rule it passes, so ask once per event. */
struct sink_verdict sink_script_decide(struct sink_script *script, const struct sink_event *event);

/* How often rule n (from 0) applied; -1 behind the last. */
int64_t sink_script_n_applied(const struct sink_script *script, size_t n);
