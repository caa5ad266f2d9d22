/* How the test receiver answers an event: the script's word or the usual one, now, later or octet
 * by octet.  The half of sink_session.c that knows no commands.  Thread: the loop's. */
#pragma once

#include "relay/cli/sink_session.h"

struct sink_outcome {
    struct sink_verdict verdict;
    const char *reply; /* lines separated by LF */
    bool is_positive;
};

/* Asks the script and notes it in the trace; recipient: of RCPT, else NULL. */
struct sink_outcome sink_decide(struct sink_session *session, enum sink_phase phase,
                                struct slice subject, const char *recipient, const char *usual);

/* Says it, now or after the script's delay; step is what follows then. */
enum sink_step sink_answer(struct sink_session *session, struct sink_outcome outcome,
                           enum sink_step step);

/* A message was kept: its reply, or the end of the connection where the script loses it. */
enum sink_step sink_answer_kept(struct sink_session *session);

/* A refusal of our own. */
enum sink_step sink_refuse(struct sink_session *session, const char *reply);
