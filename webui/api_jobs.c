/* Orders on all that words or ids select, and what becomes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "webui/exchange_ids.h"
#include "webui/guard.h"
#include "webui/jobs.h"
#include "webui/routes.h"

static const struct job_verb verbs[] = {
    {"retry",   DELIVERY_RETRY,   DELIVERY_COUNT,  false},
    {"hold",    DELIVERY_HOLD,    DELIVERY_COUNT,  false},
    {"release", DELIVERY_RELEASE, DELIVERY_COUNT,  false},
    {"bounce",  DELIVERY_BOUNCE,  DELIVERY_COUNT,  false},
    {"delete",  DELIVERY_HOLD,    DELIVERY_DELETE, true },
};

#define BINNED "to_be_deleted: "

/* ---- POST /queue/actions ---- */

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

static const struct job_verb *find_verb(const struct exchange *exchange)
{
    const char *name = exchange_text(exchange, "verb");

    if (name && strcmp(name, "bounce") == 0 && exchange_flag(exchange, "silent"))
        name = "delete";
    for (size_t i = 0; name && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

static bool read_ids(struct job *job, struct exchange *exchange)
{
    const uint64_t *ids = NULL;
    size_t n = 0;
    struct slice copy;

    if (!exchange_ids(exchange, &ids, &n))
        return false;
    copy = arena_copy(&job->arena, slice_from(ids, n * sizeof(*ids)));
    job->words.selection.ids = (const uint64_t *)(const void *)copy.data;
    job->words.selection.n_ids = n;
    job->words.has_selection = true;
    if (copy.data)
        return true;
    exchange_busy(exchange);
    return false;
}

/* An empty filter is everything, when it is said so; neither filter nor ids is nothing. */
static bool read_selection(struct job *job, struct exchange *exchange)
{
    const char *filter = exchange_text(exchange, "filter");
    struct slice copy;

    if (json_object_get(exchange->body, "ids"))
        return filter ? refuse(exchange, "nothing_selected", "Either ids or a filter, not both.")
                      : read_ids(job, exchange);
    if (!filter)
        return refuse(exchange, "nothing_selected", "Name ids or a filter.");
    copy = arena_copy(&job->arena, slice_of(filter));
    return copy.data && queue_words_read(exchange, copy.data, &job->words);
}

static bool read_order(struct job *job, struct exchange *exchange)
{
    const char *reason = exchange_text(exchange, "reason");
    char text[512];

    job->verb = find_verb(exchange);
    if (!job->verb)
        return refuse(exchange, "bad_verb", "Verbs are retry, hold, release, delete and bounce.");
    if (!read_selection(job, exchange))
        return false;
    snprintf(text, sizeof(text), BINNED "%s", reason && *reason ? reason : "by the operator");
    job->bin_reason = strdup(text);
    job->reason = strdup(text + strlen(BINNED));
    job->by = strdup(exchange->by);
    return job->bin_reason && job->reason && job->by;
}

/* What ends mail by words and not by ids wants a recent password. */
static bool ends_many(const struct job *job, const struct exchange *exchange)
{
    return (job->verb->work == DELIVERY_BOUNCE || job->verb->end == DELIVERY_DELETE) &&
           !exchange_flag(exchange, "dry_run") && !json_object_get(exchange->body, "ids");
}

void api_queue_actions(struct exchange *exchange)
{
    struct jobs *jobs = &exchange->webui->jobs;
    struct job *job = job_new(jobs);

    if (!job) {
        exchange_problem(exchange, 429, "too_many_jobs", "Other orders are still being done.");
        return;
    }
    if (!read_order(job, exchange) || (ends_many(job, exchange) && !guard_confirmed(exchange))) {
        job_forget(job);
        exchange_busy(exchange); /* unless it was refused */
        return;
    }
    if (exchange_flag(exchange, "dry_run")) {
        job_begin(job, exchange);
        return;
    }
    exchange_answer(exchange, 202, job_json(job));
    job_begin(job, NULL);
}

/* ---- /jobs/{} ---- */

static struct job *expect_job(struct exchange *exchange)
{
    struct job *job = jobs_find(&exchange->webui->jobs, exchange->argument);

    if (!job)
        exchange_problem(exchange, 404, "not_found", "There is no such job, or none any more.");
    return job;
}

/* A test of the way (path_jobs.h) has a number, too. */
static struct path_job *find_path(const struct exchange *exchange)
{
    uint64_t number;

    return slice_to_number(exchange->argument, INT64_MAX, &number)
               ? path_jobs_find(&exchange->webui->paths, number)
               : NULL;
}

void api_job_show(struct exchange *exchange)
{
    const struct path_job *path = find_path(exchange);
    struct job *job = path ? NULL : expect_job(exchange);

    if (path && !path_jobs_are_for(exchange))
        exchange_problem(exchange, 403, "role_forbidden", "Tests of the way are operators'.");
    else if (path)
        exchange_answer(exchange, 200, path_job_json(path));
    else if (job)
        exchange_answer(exchange, 200, job_json(job));
}

void api_job_cancel(struct exchange *exchange)
{
    struct path_job *path = find_path(exchange);
    struct job *job = path ? NULL : expect_job(exchange);

    if ((path && path_job_cancel(path)) || (job && job_cancel(job)))
        exchange_answer(exchange, 204, NULL);
    else if (path || job)
        exchange_problem(exchange, 409, "job_over", "It is done already.");
}

void api_job_undo(struct exchange *exchange)
{
    struct job *job = expect_job(exchange);

    if (job && job_undo(job))
        exchange_answer(exchange, 200, job_json(job));
    else if (job)
        exchange_problem(exchange, 409, "undo_over", "It is too late to undo this.");
}
