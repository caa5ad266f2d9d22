/* A queue of tasks into one thread: the only way one thread asks another for something.
 * A task is embedded in the request it belongs to, so posting allocates nothing; the poster keeps
 * its hands off the request until the answer comes back, as a task, into the poster's own mailbox.
 * Bounded: mailbox_post() refuses when `capacity` requests wait, and the poster then stops reading
 * its socket or answers 451.  An answer is never refused: the request it answers was counted.
 * A wake-up costs more than most tasks: whoever posts makes the system call only when the owner may
 * be asleep.
 * Thread: post and answer from any; fd, run and wait only from the owner. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/base/fault.h"

struct task {
    struct task *next;              /* the mailbox's */
    void (*run)(struct task *task); /* called on the receiving thread; may free the task */
};

struct mailbox;

MUST_USE int mailbox_new(struct mailbox **out, uint32_t capacity);
struct mailbox *mailbox_free(struct mailbox *mailbox); /* accepts NULL, returns NULL */

/* False when full; the task is then still the caller's. */
MUST_USE bool mailbox_post(struct mailbox *mailbox, struct task *task);

/* For answers, and for work that is already bounded elsewhere. */
void mailbox_answer(struct mailbox *mailbox, struct task *task);

/* The same; an owner in mailbox_doze() is not woken for a quiet one, one in mailbox_sleep() only by
 * a call. */
void mailbox_answer_quietly(struct mailbox *mailbox, struct task *task);
void mailbox_call(struct mailbox *mailbox, struct task *task);

/* Readable (poll, epoll) while tasks wait. */
int mailbox_fd(struct mailbox *mailbox);

/* For an owner that looks into its mailbox before each sleep anyway: from now on the descriptor
 * tells only of what comes behind a mailbox_may_sleep() that said true. */
void mailbox_look_before_sleep(struct mailbox *mailbox);

/* False: tasks wait, run them first. */
MUST_USE bool mailbox_may_sleep(struct mailbox *mailbox);

/* Runs what waits now, in order of arrival; returns how many.  What these tasks post to the same
 * mailbox waits for the next call, so nothing starves a loop. */
uint32_t mailbox_run(struct mailbox *mailbox);

/* Takes what waits, without running it, as a list linked by task.next: for owners that batch. */
struct task *mailbox_take(struct mailbox *mailbox);

/* Blocks until a task waits or timeout_ms passed (-1: for ever); true when one waits. */
bool mailbox_wait(struct mailbox *mailbox, int timeout_ms);

/* The same, but quiet tasks do not end it, however many wait; true when another one waits. */
bool mailbox_doze(struct mailbox *mailbox, int timeout_ms);

/* The same, but only a call ends it; true when one waits. */
bool mailbox_sleep(struct mailbox *mailbox, int timeout_ms);
