/* What the test receiver shall do differently.  One rule a line, `#` comments:
 *
 *   PHASE [match=RE] [every=N] -> [delay=T] [REPLY | drop]
 *
 * PHASE  CONNECT EHLO STARTTLS MAIL RCPT DATA DOT RSET NOOP QUIT
 * match  POSIX extended expression over the command's argument (DOT: over the message), blanks as
 *        \s; case plays no part
 * every  only every N-th time that the rule matches
 * REPLY  goes out as written, "\n" makes further lines; after 421 the connection is closed
 * delay  N and ms, s, m or h before the reply; alone, later rules still apply
 * The first rule that has a reply or drops decides.  Thread: the loop's. */
#pragma once

#include "relay/base/buffer.h"

enum sink_phase {
    SINK_CONNECT,
    SINK_EHLO,
    SINK_STARTTLS,
    SINK_MAIL,
    SINK_RCPT,
    SINK_DATA,
    SINK_DOT,
    SINK_RSET,
    SINK_NOOP,
    SINK_QUIT,
    N_SINK_PHASES
};

struct sink_verdict {
    int64_t delay_ms;
    const char *reply; /* the script's, lines separated by LF; NULL: as usual */
    bool is_drop;
};

struct sink_script; /* NULL is the empty script */

/* 0, -EINVAL with a sentence in problem, or -errno. */
MUST_USE int sink_script_load(struct sink_script **out, const char *path, struct buffer *problem);
struct sink_script *sink_script_free(struct sink_script *script); /* NULL in, NULL out */

/* Counts the match of every rule it passes, so ask once per event. */
struct sink_verdict sink_script_decide(struct sink_script *script, enum sink_phase phase,
                                       struct slice subject);
