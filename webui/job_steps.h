/* From phase to phase of an order: private to jobs.c and job_find.c.  Thread: the panel's. */
#pragma once

#include "webui/jobs.h"

void job_set_phase(struct job *job, enum job_phase phase);
void job_step(struct job *job); /* begins what the phase is for */
void job_fail(struct job *job); /* it is over; of a dry run: answered and forgotten */
/* Of a dry run: somebody waits for its count. */
void job_answer_cancelled(struct job *job);
void job_find(struct job *job);
