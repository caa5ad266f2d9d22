/* The event thread: takes events from every other thread and writes them where they are read: the
 * log, history and counters (history.h), and the last lines in memory (log_ring.h).  Mail never
 * waits for it: when its mailbox is full, events collapse into exact counts, told by
 * `event=history_gap n=…` once there is room.
 * Thread: start and stop from the process's first thread; emitting, asking and the rest from any.
 */
#pragma once

#include "relay/base/event.h"
#include "relay/base/fault.h"
#include "relay/events/history.h"
#include "relay/events/log_ring.h"

struct events;

/* From here on event_emit() goes through the thread.  history->dir NULL: the log alone.
 * 0 or -errno. */
MUST_USE int events_start(struct events **out, const struct history_settings *history);

/* Writes what waits, ends the thread, and gives events back to stderr directly.  Nothing else may
 * emit meanwhile.  Accepts NULL, returns NULL. */
struct events *events_stop(struct events *events);

/* How many recipients are queued, as somebody who knows says now and then. */
void events_note_depth(struct events *events, int64_t n_queued);

/* The last lines of the log.  The query's texts are the asker's until done(). */
struct events_question {
    struct task task;
    struct mailbox *answer_to;
    void (*done)(struct events_question *question);
    struct log_query query;
    struct buffer lines;   /* log_ring_print()'s; the asker frees */
    uint64_t next, newest; /* where to go on, 0: nowhere; number of the newest line */
    struct events *events;
};
MUST_USE bool events_ask(struct events *events, struct events_question *question);
