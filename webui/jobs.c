#include "webui/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/spool/queue_id.h"
#include "webui/job_count.h"

enum { SCAN_SLICE = 20000, IDLE_MS = 60000 };

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
    buffer_fini(&job->ids);
    buffer_fini(&job->free);
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

static void step(struct job *job);

static void set_phase(struct job *job, enum job_phase phase)
{
    job->phase = phase;
    if (phase == JOB_OVER) {
        buffer_fini(&job->ids);
        buffer_fini(&job->free);
    }
    tell(job);
}

static void fail(struct job *job)
{
    struct exchange *exchange = TAKE(job->exchange);

    job->is_failed = true;
    set_phase(job, JOB_OVER);
    if (exchange) {
        job_forget(job);
        exchange_busy(exchange);
    }
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
    struct exchange *exchange = TAKE(job->exchange);

    job->n_total = job->command.n_selected;
    if (job_settle_ids(&job->ids) < 0 || job_settle_ids(&job->free) < 0) {
        job->exchange = exchange;
        fail(job);
        return;
    }
    job->n_messages = job->ids.len / sizeof(uint64_t);
    if (exchange) {
        exchange_answer(exchange, 200, job_count_json(job));
        job_forget(job);
        return;
    }
    job_forget_count(job);
    set_phase(job, job->n_total ? JOB_WORKING : JOB_OVER);
    step(job);
}

static void end_work(struct job *job)
{
    log_command(job, job->verb->has_bin ? "hold" : job->verb->name);
    if (!job->verb->has_bin) {
        set_phase(job, JOB_OVER);
        return;
    }
    atomic_store(&job->n_done, job->n_total); /* what was held already is in the bin, too */
    job->undo_ms = clock_monotonic_ms() + JOB_UNDO_MS;
    set_phase(job, JOB_IN_BIN);
}

static void on_command(struct delivery_command *command)
{
    struct job *job = CONTAINER_OF(command, struct job, command);

    job->is_busy = false;
    job->webui->n_waiting--;
    if (job->phase == JOB_COUNTING) {
        end_count(job);
    } else if (job->phase == JOB_WORKING) {
        end_work(job);
    } else {
        log_command(job, job->phase == JOB_ENDING ? job->verb->name : "undo");
        job->is_undone = job->phase == JOB_UNDOING;
        set_phase(job, JOB_OVER);
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
    (void)entry, (void)destination;
    atomic_fetch_add(&CONTAINER_OF(command, struct job, command)->n_done, 1);
}

/* Of what was selected, what lies in the bin: by its messages, and the words that part recipients
 * of one message; states and ages have changed since. */
static void select_bin(struct job *job, const struct buffer *ids)
{
    struct selection *selection = &job->command.selection;

    selection->ids = (const uint64_t *)(const void *)ids->data;
    selection->n_ids = ids->len / sizeof(uint64_t);
    selection->states = 1U << ENTRY_HELD | 1U << ENTRY_SENDING;
    selection->older_than_utc_ms = 0;
    selection->is_all = false;
}

/* What came since the count is not of it: it would lie in the bin for ever. */
static void select_counted(struct job *job)
{
    job->command.selection.ids = (const uint64_t *)(const void *)job->ids.data;
    job->command.selection.n_ids = job->ids.len / sizeof(uint64_t);
    job->command.selection.is_all = false;
}

static void ask(struct job *job, enum delivery_verb verb, const struct buffer *bin)
{
    const struct operations *operations = job->webui->parts.operations;
    bool is_count = job->phase == JOB_COUNTING;
    bool is_binned = job->phase == JOB_WORKING && job->verb->has_bin;

    job->command = (struct delivery_command){
        .verb = verb,
        .selection = job->words.selection,
        .reason = is_binned ? job->bin_reason : job->reason,
        .answer_to = job->webui->mailbox,
        .done = on_command,
        .note = is_count ? note_count : note_work,
        .is_cancelled = job->phase <= JOB_WORKING ? &job->is_cancelled : NULL,
    };
    if (bin)
        select_bin(job, bin);
    if (is_binned)
        select_counted(job);
    if (bin && bin->len == 0) {
        set_phase(job, JOB_OVER); /* no ids would mean any */
        return;
    }
    atomic_store(&job->n_done, 0);
    job->is_busy = operations->command(operations->owner, &job->command);
    if (job->is_busy)
        job->webui->n_waiting++;
    else
        fail(job);
}

/* ---- finding by rows ---- */

static bool note_row(void *owner, const struct message_row *row)
{
    struct job *job = owner;

    if (queue_words_match(&job->words, row))
        buffer_append(&job->ids, slice_from(&row->id, sizeof(row->id)));
    return true;
}

static void read_rows(struct queue_job *read, struct spool_reader *reader)
{
    struct job *job = CONTAINER_OF(read, struct job, read);
    struct queue_filter filter = job->words.rows;

    filter.after_id = job->cursor;
    if (spool_reader_list(reader, &filter, UINT32_MAX, SCAN_SLICE, note_row, job, &job->cursor) < 0)
        job->is_failed = true;
}

/* What was found stands for the words from here on. */
static void take_found(struct job *job)
{
    size_t n = job->ids.len / sizeof(uint64_t);
    uint64_t *ids = arena_alloc(&job->arena, job->ids.len + sizeof(*ids));

    if (!ids || buffer_error(&job->ids) < 0) {
        fail(job);
        return;
    }
    if (n)
        memcpy(ids, job->ids.data, job->ids.len);
    ids[n] = 0; /* none found: an id that nothing has */
    job->words.selection.ids = ids;
    job->words.selection.n_ids = n ? n : 1;
    job->words.selection.is_all = false;
    buffer_clear(&job->ids);
    set_phase(job, JOB_COUNTING);
    step(job);
}

static void on_rows(struct queue_job *read)
{
    struct job *job = CONTAINER_OF(read, struct job, read);

    job->is_busy = false;
    job->webui->n_waiting--;
    if (job->is_failed || job->webui->is_stopping)
        fail(job);
    else if (atomic_load(&job->is_cancelled))
        set_phase(job, JOB_OVER);
    else if (job->cursor)
        step(job);
    else
        take_found(job);
}

static void find(struct job *job)
{
    job->read.answer_to = job->webui->mailbox;
    job->read.work = read_rows;
    job->read.done = on_rows;
    job->is_busy = queue_desk_ask(job->webui->queue_desk, &job->read);
    if (job->is_busy)
        job->webui->n_waiting++;
    else
        fail(job);
}

static void step(struct job *job)
{
    switch (job->phase) {
    case JOB_FINDING:
        find(job);
        break;
    case JOB_COUNTING:
        ask(job, DELIVERY_COUNT, NULL);
        break;
    case JOB_WORKING:
        if (atomic_load(&job->is_cancelled))
            set_phase(job, JOB_OVER);
        else
            ask(job, job->verb->work, NULL);
        break;
    case JOB_ENDING:
        ask(job, job->verb->end, &job->ids);
        break;
    case JOB_UNDOING:
        ask(job, DELIVERY_RELEASE, &job->free);
        break;
    case JOB_IN_BIN:
    case JOB_OVER:
        break;
    }
}

/* ---- time ---- */

int jobs_timeout_ms(const struct jobs *jobs)
{
    int64_t now_ms = clock_monotonic_ms(), wait_ms = IDLE_MS;

    LIST_FOR_EACH(link, &jobs->jobs)
    {
        const struct job *job = CONTAINER_OF(link, struct job, link);

        if (job->phase == JOB_IN_BIN && job->undo_ms - now_ms < wait_ms)
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

        if (job->phase == JOB_IN_BIN && job->undo_ms <= now_ms) {
            set_phase(job, JOB_ENDING);
            step(job);
        }
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
    set_phase(job, JOB_UNDOING);
    step(job);
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
    buffer_init(&job->ids, JOB_MOST_BYTES);
    buffer_init(&job->free, JOB_MOST_BYTES);
    list_append(&jobs->jobs, &job->link);
    jobs->n_jobs++;
    return job;
}

void job_begin(struct job *job, struct exchange *exchange)
{
    job->phase = job->words.has_rest ? JOB_FINDING : JOB_COUNTING;
    job->exchange = exchange;
    step(job);
}
