/* Whom an order concerns: recipients by user and destination, and which messages.
 * Thread: noted on the loops, one after the other; the rest the panel's. */
#pragma once

#include "webui/jobs.h"

void job_note(struct job *job, const struct entry *entry, const char *destination);
int job_settle_ids(struct buffer *ids);        /* sorts, each once; 0 or -ENOMEM */
json_t *job_count_json(const struct job *job); /* {messages,recipients,users,destinations} */
void job_forget_count(struct job *job);
