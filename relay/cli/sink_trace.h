/* What the test receiver saw, in order, as it came: a line of JSON each, written at once.
 *
 *   {"t":1234.567890,"event":"DOT","connection":7,"peer":"127.0.0.5","listener":"127.0.0.3",
 *    "open":3,"code":250,"sender":"a@x.example","recipient":"b@y.example","recipients":1}
 *
 * t is CLOCK_MONOTONIC, in seconds: receivers on one machine share it, so that a test can count
 * over any window and any set of them.  event is a phase of the script, or CLOSE; code what was (or
 * will be) answered, 0 for a drop; open how many connections there are, this one among them (CLOSE:
 * without it; a connection is closed when we said our last word, or it broke); recipients how many
 * were accepted.  Thread: the loop's. */
#pragma once

#include "relay/cli/sink_rule.h"

struct sink_trace; /* NULL writes nothing */

MUST_USE int sink_trace_open(struct sink_trace **out, const char *path); /* 0 or -errno */
struct sink_trace *sink_trace_close(struct sink_trace *trace);           /* NULL in, NULL out */

void sink_trace_note(struct sink_trace *trace, const char *name, uint64_t connection,
                     const struct sink_event *event, int code);
