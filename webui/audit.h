/* Who changed what: a row of the audit list for each change that went well, with what was there
 * before and what is there now.  Secrets are left out.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* Before the handler of a change: notes what is there. */
void audit_begin(struct exchange *exchange);

/* With the answer: stores the row, if it was a change. */
void audit_answered(struct exchange *exchange);
