/* What the files of a dispatch share: dispatch_start.c, dispatch.c (until the outcome),
 * dispatch_body.c (the bytes). */
#pragma once

#include "relay/delivery/dispatch.h"

/* The same for all that have no answer yet. */
void dispatch_judge_rest(struct dispatch *dispatch, const struct judgement *judgement);

/* Where it happened, for its outcome. */
void dispatch_set_place(struct dispatch *dispatch);

/* Not its first attempt. */
bool dispatch_was_tried(const struct dispatch *dispatch);

/* Everything is said: what was collected is stored, the rest of the work forgotten. */
void dispatch_finish(struct dispatch *dispatch);

/* The mark in the journal of final dots: asked for as soon as it is known whom the dot is for, so
 * that it is mostly committed when the body is through. */
void dispatch_mark(struct dispatch *dispatch);
/* True: the dot may leave now; else the body is ended (dispatch_end_body()) when it may. */
bool dispatch_is_marked(struct dispatch *dispatch);
void dispatch_end_body(struct dispatch *dispatch);

/* The connection was lost behind the dot: told, and judged by each destination's setting. */
void dispatch_judge_doubtful(struct dispatch *dispatch, const struct judgement *judgement);

/* dispatch_turn.c */
enum dispatch_turn {
    TURN_NOW,
    TURN_LATER, /* dispatch_try_send() is called then */
    TURN_NEVER, /* too far off, or it is to stand still: to be given back to the schedule */
};
enum dispatch_turn dispatch_take_turn(struct dispatch *dispatch);
void dispatch_on_turn(struct timer *timer);
void dispatch_drop_turn(struct dispatch *dispatch); /* it will not be said after all */
void dispatch_try_send(struct dispatch *dispatch);

/* Whether a callback will come that needs it. */
static inline bool dispatch_is_needed(const struct dispatch *dispatch)
{
    return dispatch->is_waiting || dispatch->is_lingering || dispatch->is_marking;
}

/* What it waited for came after its end. */
void dispatch_end_late(struct dispatch *dispatch);

void dispatch_on_opened(void *owner, int error); /* the letter is */
void dispatch_free(struct dispatch *dispatch);
