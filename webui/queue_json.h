/* Queue items as the API shows them.  Thread: the panel's, and the reader's while it fills. */
#pragma once

#include "relay/spool/spool_reader.h"
#include "webui/exchange.h"

/* {queued,sending,deferred,held}: recipients. */
json_t *queue_states_json(const struct delivery_command *command);

/* [{domain,recipients}], most first, of what delivery_domains() told. */
json_t *queue_domains_json(struct slice counts, size_t *n_domains);

/* {id,user,sender,size,arrived,recipients:[{n,address,state,attempts,next,reply,doubtful}]}, of
 * recipients the first `most`; n_recipients tells how many the message had. */
json_t *queue_item_json(const struct message_row *row, uint32_t most);

/* `recipients` of the query: how many of a message a list shows; absent: all, UINT32_MAX.  False
 * after answering 422.  Cut off what is beyond when marks and states have been looked at. */
bool queue_most_recipients(struct exchange *exchange, uint32_t *most);
void queue_cut_recipients(json_t *items, uint32_t most);

/* Recipients that are being sent just now show so: pairs is what delivery_sending() told. */
void queue_mark_sending(json_t *items, struct slice pairs);

/* Drops recipients of other states, and items that have none left. */
void queue_keep_state(json_t *items, const char *state);
