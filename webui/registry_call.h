/* An exchange that asks the registry one thing: memory, question, and the answer when it failed are
 * the same for all.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* Zeroed memory for a struct that begins with its registry_request; NULL after a 500. */
void *registry_call_memory(struct exchange *exchange, size_t bytes);

/* Fills in who asks and where the answer goes; exchange waits for it. */
void registry_call_begin(struct exchange *exchange, struct registry_request *request,
                         void (*done)(struct registry_request *request));

/* The exchange that request was begun for. */
struct exchange *registry_call_exchange(const struct registry_request *request);

/* Whether it went well; otherwise answers with the result's code and sentence. */
bool registry_call_went_well(struct registry_request *request);

/* A done() for requests whose success is an empty 204. */
void registry_call_done(struct registry_request *request);
