/* What the queue's verbs share: which mail is meant.  Thread: main; private to relay/cli. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct options;

#define QUEUE "/api/v1/queue"

/* Ids from the arguments, those of stdin at `-`; NULL when none stand there.  The caller's. */
json_t *queue_ids(const struct options *options);

/* --dest, --user, --from or --all. */
bool queue_has_words(const struct options *options);

/* Says what is missing; EX_USAGE. */
int queue_complain_selection(void);
