/* Whom an order concerns: recipients by user and destination, and which messages.
 * Thread: noted on the loops, one after the other; the rest the panel's. */
#pragma once

#include "webui/jobs.h"

void job_note(struct job *job, const struct entry *entry, const char *destination);
void job_note_work(struct job *job, const struct entry *entry); /* before it is done to it */
int job_settle(struct job *job);               /* sorts whom it concerns, each once; 0 or -ENOMEM */
json_t *job_count_json(const struct job *job); /* {messages,recipients,users,destinations} */
void job_forget_count(struct job *job);
