/* What a route is about to change, as it stands now: for the audit's before and after, and for
 * changes that hold only of what their asker has seen (If-Match, RFC 9110 13.1.1).
 * Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

enum { STATE_TAG_SIZE = 36 };

/* The name of it: what stood in the path, or the name of what is new. */
struct slice state_object(const struct exchange *exchange);

/* NULL: there is none (any more, or yet); *is_known: false when this route's things have no state
 * that could be shown, as commands have none. */
json_t *state_of(struct exchange *exchange, bool *is_known);

/* Its entity tag, quoted; the answer to a GET of it bears the same. */
void state_tag(json_t *state, char out[STATE_TAG_SIZE]);
void state_tag_answer(struct exchange *exchange, json_t *state);

/* False after 412 `changed_meanwhile`: the request says which state it is meant for, and that is
 * not what there is; or a change of the same thing is still under way. */
bool state_judge(struct exchange *exchange);
