/* Replies before the reply rules: what was said is counted, and what is due is done to the lane,
 * the site, the provider or the mail, and told.  A fixed route is the operator's own: no rule is
 * asked there.  Thread: the loop's. */
#pragma once

#include "relay/delivery/dispatch.h"

/* A host did not let the connection in; it may carry a dispatch. */
void hearing_host(struct connection *connection, enum smtp_phase phase,
                  const struct smtp_reply *reply);

/* A reply to a transaction: for entry, or for all that have no answer of their own (NULL).  A rule
 * may change what is made of it. */
void hearing_reply(struct dispatch *dispatch, enum smtp_phase phase, const struct smtp_reply *reply,
                   const struct entry *entry, struct judgement *judgement);

/* n recipients were taken. */
void hearing_went_well(struct dispatch *dispatch, uint32_t n);

/* A rule keeps the dispatch's mail back: what becomes of it; the message is open.  False: nothing
 * does. */
bool hearing_keeps_back(struct dispatch *dispatch, struct judgement *judgement);
