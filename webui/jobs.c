#include "webui/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/spool/queue_id.h"
#include "webui/job_count.h"
#include "webui/job_steps.h"

enum { IDLE_MS = 60000, AGAIN_MS = 1000, AGAIN_MOST_MS = 10000 };

void jobs_init(struct jobs *jobs, struct webui *webui)
{
    *jobs = (struct jobs){.webui = webui, .next_number = (uint64_t)clock_utc_ms()};
    list_init(&jobs->jobs);
}

void job_forget(struct job *job)
{
    list_remove(&job->link);
    job->webui->jobs.n_jobs--;
    job_forget_count(job);
    buffer_fini(&job->chosen);
    arena_reset(&job->arena);
    free(job->reason);
    free(job->bin_reason);
    free(job->by);
    free(job);
}

void jobs_fini(struct jobs *jobs)
{
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        job_forget(CONTAINER_OF(link, struct job, link));
    }
}

struct job *jobs_find(const struct jobs *jobs, struct slice id)
{
    uint64_t number;

    if (!slice_to_number(id, INT64_MAX, &number))
        return NULL;
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct job *job = CONTAINER_OF(link, struct job, link);

        if (job->number == number)
            return job;
    }
    return NULL;
}

static void tell(const struct job *job)
{
    live_tell(job->webui, LIVE_JOBS, job_json(job));
}

/* ---- steps ---- */

void job_set_phase(struct job *job, enum job_phase phase)
{
    job->phase = phase;
    if (phase == JOB_OVER) {
        buffer_fini(&job->chosen);
    }
    tell(job);
}

void job_fail(struct job *job)
{
    struct exchange *exchange = TAKE(job->exchange);

    job->is_failed = true;
    job_set_phase(job, JOB_OVER);
    if (exchange) {
        job_forget(job);
        exchange_busy(exchange);
    }
}

void job_answer_cancelled(struct job *job)
{
    struct exchange *exchange = TAKE(job->exchange);

    job_set_phase(job, JOB_OVER);
    job_forget(job);
    exchange_problem(exchange, 409, "cancelled", "Somebody cancelled this before its end.");
}

static void log_command(const struct job *job, const char *verb)
{
    if (job->command.n_selected)
        EVENT(EVENT_QUEUE_COMMAND, field_text("verb", verb),
              field_number("nrcpt", (int64_t)job->command.n_selected), field_text("by", job->by),
              field_text("reason", job->reason));
}

static void end_count(struct job *job)
{
    struct exchange *exchange;

    if (job->exchange && atomic_load(&job->is_cancelled)) {
        job_answer_cancelled(job);
        return;
    }
    exchange = TAKE(job->exchange);
    job->n_total = job->command.n_selected;
    if (job_settle(job) < 0) {
        job->exchange = exchange;
        job_fail(job);
        return;
    }
    if (exchange) {
        exchange_answer(exchange, 200, job_count_json(job));
        job_forget(job);
        return;
    }
    job_forget_count(job);
    job_set_phase(job, job->n_total ? JOB_WORKING : JOB_OVER);
    job_step(job);
}

static void end_work(struct job *job)
{
    log_command(job, job->verb->has_bin ? "hold" : job->verb->name);
    if (!job->verb->has_bin) {
        job_set_phase(job, JOB_OVER);
        return;
    }
    if (atomic_load(&job->is_cancelled)) {
        job_set_phase(job, JOB_UNDOING); /* n_done stays: how far it came */
        job_step(job);
        return;
    }
    atomic_store(&job->n_done, job->n_total); /* what was held already is in the bin, too */
    job->undo_ms = clock_monotonic_ms() + JOB_UNDO_MS;
    job_set_phase(job, JOB_IN_BIN);
}

/* No room for a request, or some are being sent: what lies in the bin must not stay there.  A slow
 * attempt lasts, and each time all recipients are walked: less and less often. */
static void try_again(struct job *job)
{
    job->again_ms = job->again_ms ? 2 * job->again_ms : AGAIN_MS;
    if (job->again_ms > AGAIN_MOST_MS)
        job->again_ms = AGAIN_MOST_MS;
    job->undo_ms = clock_monotonic_ms() + job->again_ms;
}

static void end_bin(struct job *job)
{
    bool is_undoing = job->phase == JOB_UNDOING;

    log_command(job, is_undoing ? "undo" : job->verb->name);
    if (is_undoing && job->command.n_busy + job->command.n_passed > 0) {
        try_again(job);
        return;
    }
    job->is_undone = is_undoing;
    job_set_phase(job, JOB_OVER);
}

/* What it did stays: what is in the bin is held. */
static void end_stopped(struct job *job)
{
    log_command(job, job->phase == JOB_UNDOING                         ? "undo"
                     : job->phase == JOB_WORKING && job->verb->has_bin ? "hold"
                                                                       : job->verb->name);
    job_set_phase(job, JOB_OVER);
}

static void on_command(struct delivery_command *command)
{
    struct job *job = CONTAINER_OF(command, struct job, command);

    job->is_busy = false;
    job->webui->n_waiting--;
    if (job->phase == JOB_COUNTING) {
        end_count(job);
    } else if (job->webui->is_stopping) {
        end_stopped(job);
    } else if (job->phase == JOB_WORKING) {
        end_work(job);
    } else {
        end_bin(job);
    }
}

static void note_count(struct delivery_command *command, const struct entry *entry,
                       const char *destination)
{
    job_note(CONTAINER_OF(command, struct job, command), entry, destination);
}

static void note_work(struct delivery_command *command, const struct entry *entry,
                      const char *destination)
{
    (void)destination;
    job_note_work(CONTAINER_OF(command, struct job, command), entry);
}

/* What came since the count is not of it, and what was counted is, whatever its state is now. */
static struct selection select_counted(const struct job *job)
{
    struct selection selection = {
        .chosen = (const struct chosen *)(const void *)job->chosen.data,
        .n_chosen = job->chosen.len / sizeof(struct chosen),
    };

    if (job->phase == JOB_WORKING)
        return selection;
    selection.states = 1U << ENTRY_HELD | 1U << ENTRY_SENDING;
    selection.chosen_bits = job->phase == JOB_ENDING ? JOB_BINNED : JOB_OURS;
    return selection;
}

static void ask(struct job *job, enum delivery_verb verb)
{
    const struct operations *operations = job->webui->parts.operations;
    bool is_count = job->phase == JOB_COUNTING;
    bool is_binned = job->phase == JOB_WORKING && job->verb->has_bin;

    job->command = (struct delivery_command){
        .verb = verb,
        .selection = is_count ? job->words.selection : select_counted(job),
        .reason = is_binned ? job->bin_reason : job->reason,
        .answer_to = job->webui->mailbox,
        .done = on_command,
        .note = is_count ? note_count : note_work,
        .is_cancelled = job->phase <= JOB_WORKING ? &job->is_cancelled : &job->is_stopped,
    };
    if (job->phase != JOB_UNDOING)
        atomic_store(&job->n_done, 0);
    job->is_busy = operations->command(operations->owner, &job->command);
    if (job->is_busy)
        job->webui->n_waiting++;
    else if (job->phase > JOB_IN_BIN)
        try_again(job);
    else
        job_fail(job);
}

void job_step(struct job *job)
{
    if (job->webui->is_stopping) {
        job_fail(job);
        return;
    }
    switch (job->phase) {
    case JOB_FINDING:
        job_find(job);
        break;
    case JOB_COUNTING:
        ask(job, DELIVERY_COUNT);
        break;
    case JOB_WORKING:
        if (atomic_load(&job->is_cancelled))
            job_set_phase(job, JOB_OVER);
        else
            ask(job, job->verb->work);
        break;
    case JOB_ENDING:
        ask(job, job->verb->end);
        break;
    case JOB_UNDOING:
        ask(job, DELIVERY_RELEASE);
        break;
    case JOB_IN_BIN:
    case JOB_OVER:
        break;
    }
}

/* ---- time ---- */

static bool waits_for_its_time(const struct job *job)
{
    return job->phase == JOB_IN_BIN ||
           ((job->phase == JOB_ENDING || job->phase == JOB_UNDOING) && !job->is_busy);
}

int jobs_timeout_ms(const struct jobs *jobs)
{
    int64_t now_ms = clock_monotonic_ms(), wait_ms = IDLE_MS;

    LIST_FOR_EACH(link, &jobs->jobs)
    {
        const struct job *job = CONTAINER_OF(link, struct job, link);

        if (waits_for_its_time(job) && job->undo_ms - now_ms < wait_ms)
            wait_ms = job->undo_ms - now_ms;
    }
    return wait_ms > 0 ? (int)wait_ms : 0;
}

void jobs_turn(struct jobs *jobs)
{
    int64_t now_ms = clock_monotonic_ms();

    if (jobs->webui->is_stopping)
        return; /* what is in the bin stays held */
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct job *job = CONTAINER_OF(link, struct job, link);

        if (!waits_for_its_time(job) || job->undo_ms > now_ms)
            continue;
        if (job->phase == JOB_IN_BIN)
            job_set_phase(job, JOB_ENDING);
        job_step(job);
    }
}

void jobs_stop(struct jobs *jobs)
{
    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct job *job = CONTAINER_OF(link, struct job, link);

        atomic_store(&job->is_cancelled, true);
        atomic_store(&job->is_stopped, true);
    }
}

bool job_cancel(struct job *job)
{
    if (job->phase > JOB_WORKING)
        return false;
    atomic_store(&job->is_cancelled, true);
    return true;
}

bool job_undo(struct job *job)
{
    if (job->phase != JOB_IN_BIN)
        return false;
    atomic_store(&job->n_done, 0);
    job_set_phase(job, JOB_UNDOING);
    job_step(job);
    return true;
}

/* ---- one more ---- */

/* Room for one more: the oldest that is over makes it. */
static bool make_room(struct jobs *jobs)
{
    unsigned n_open = 0;

    LIST_FOR_EACH(link, &jobs->jobs)
    {
        struct job *job = CONTAINER_OF(link, struct job, link);

        n_open += job->phase != JOB_OVER;
        if (jobs->n_jobs >= JOBS_KEPT && job->phase == JOB_OVER)
            job_forget(job);
    }
    return n_open < JOBS_AT_ONCE;
}

struct job *job_new(struct jobs *jobs)
{
    struct job *job = make_room(jobs) ? calloc(1, sizeof(*job)) : NULL;

    if (!job)
        return NULL;
    job->webui = jobs->webui;
    job->number = jobs->next_number++;
    buffer_init(&job->chosen, JOB_MOST_BYTES);
    list_append(&jobs->jobs, &job->link);
    jobs->n_jobs++;
    return job;
}

void job_begin(struct job *job, struct exchange *exchange)
{
    job->phase = job->words.has_rest ? JOB_FINDING : JOB_COUNTING;
    job->exchange = exchange;
    job_step(job);
}
