/* What the files of a dispatch share: dispatch_start.c, dispatch.c (until the outcome),
 * dispatch_body.c (the bytes). */
#pragma once

#include "relay/delivery/dispatch.h"

/* The same for all that have no answer yet. */
void dispatch_judge_rest(struct dispatch *dispatch, const struct judgement *judgement);

/* Everything is said: what was collected is stored, the rest of the work forgotten. */
void dispatch_finish(struct dispatch *dispatch);

/* What it waited for came after its end. */
void dispatch_end_late(struct dispatch *dispatch);

void dispatch_on_opened(void *owner, int error); /* the letter is */
void dispatch_free(struct dispatch *dispatch);
