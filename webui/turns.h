/* How many requests of a dear kind may be under way at once.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

void turns_init(struct webui *webui);

/* At most `most` of the list, or of it those of the same account; false after 429
 * `too_many_at_once`.  The turn ends with turn_end(), or with the exchange. */
MUST_USE bool turn_of_all(struct exchange *exchange, struct list *turns, unsigned most);
MUST_USE bool turn_of_account(struct exchange *exchange, struct list *turns, unsigned most);
void turn_end(struct exchange *exchange); /* harmless without a turn */
