/* One line of the test receiver's script (sink_script.h says its form): parsed, and asked whether
 * it applies to an event.  Thread: the loop's. */
#pragma once

#include <regex.h>

#include "relay/base/fault.h"
#include "relay/base/slice.h"
#include "relay/cli/sink_tally.h"

enum sink_phase {
    SINK_CONNECT,
    SINK_EHLO,
    SINK_STARTTLS,
    SINK_MAIL,
    SINK_RCPT,
    SINK_DATA,
    SINK_BODY,
    SINK_DOT,
    SINK_RSET,
    SINK_NOOP,
    SINK_QUIT,
    N_SINK_PHASES
};

/* What the peer did.  Texts are the caller's, "" when there is none (yet). */
struct sink_event {
    enum sink_phase phase;
    struct slice subject;        /* the command's argument; DOT: the message */
    const char *peer, *listener; /* addresses, without ports */
    const char *sender, *recipient;
    unsigned n_recipients;                               /* accepted until now */
    unsigned n_open, n_open_of_peer, n_open_at_listener; /* connections, this one among them */
    int64_t now_ms;                                      /* since the receiver began */
};

enum sink_scope {
    SINK_PER_ALL,
    SINK_PER_PEER,
    SINK_PER_LISTENER,
    SINK_PER_SENDER,
    SINK_PER_DOMAIN
};

enum sink_ending {
    SINK_GO_ON, /* no word about the reply: later rules decide */
    SINK_REPLY,
    SINK_DROP, /* close without a word */
    SINK_LOSE  /* take the message, then close without a word */
};

struct sink_rule {
    enum sink_phase phase;
    /* when */
    bool has_match;
    regex_t match;
    int64_t from_ms, until_ms; /* until_ms 0: no end */
    enum sink_scope scope;
    uint32_t open, rate; /* 0: no such condition */
    int64_t rate_ms, new_ms;
    uint64_t every, n_matches, n_applied;
    struct sink_tally *tally;
    /* then */
    int64_t delay_ms, drip_ms;
    enum sink_ending ending;
    char *reply; /* of SINK_REPLY: lines separated by LF; owned */
};

const char *sink_phase_name(enum sink_phase phase);

/* What is wrong with the line, or NULL; sink_rule_fini() in either case. */
const char *sink_rule_parse(struct sink_rule *rule, struct slice line);
void sink_rule_fini(struct sink_rule *rule);

/* Counts: ask once per event. */
bool sink_rule_applies(struct sink_rule *rule, const struct sink_event *event);
