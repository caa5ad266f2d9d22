/* What only rows can tell is found first, in slices read on the reader thread. */
#include <string.h>

#include "webui/job_count.h"
#include "webui/job_steps.h"

enum { SCAN_SLICE = 20000 };

struct found {
    struct job *job;
    uint64_t id;
};

static void note_recipient(void *owner, uint32_t n)
{
    struct found *found = owner;
    struct chosen chosen = chosen_of(found->id, n, 0);

    buffer_append(&found->job->chosen, slice_from(&chosen, sizeof(chosen)));
}

static bool note_row(void *owner, const struct message_row *row)
{
    struct found found = {.job = owner, .id = row->id};

    queue_words_each(&found.job->words, row, note_recipient, &found);
    return true;
}

static void read_rows(struct queue_job *read, struct spool_reader *reader)
{
    struct job *job = CONTAINER_OF(read, struct job, read);
    struct queue_filter filter = job->words.rows;

    filter.after_id = job->cursor;
    if (spool_reader_list(reader, &filter, UINT32_MAX, SCAN_SLICE, note_row, job, &job->cursor) < 0)
        job->is_unreadable = true;
}

/* What was found stands for the words from here on. */
static void take_found(struct job *job)
{
    struct chosen *chosen = arena_alloc(&job->arena, job->chosen.len + sizeof(*chosen));

    if (!chosen || job_settle(job) < 0) {
        job_fail(job);
        return;
    }
    if (job->chosen.len)
        memcpy(chosen, job->chosen.data, job->chosen.len);
    job->words.selection.chosen = chosen;
    job->words.selection.n_chosen = job->chosen.len / sizeof(*chosen);
    buffer_clear(&job->chosen);
    job_set_phase(job, JOB_COUNTING);
    job_step(job);
}

static void on_rows(struct queue_job *read)
{
    struct job *job = CONTAINER_OF(read, struct job, read);

    job->is_busy = false;
    job->webui->n_waiting--;
    if (atomic_load(&job->is_cancelled) && job->exchange)
        job_answer_cancelled(job);
    else if (job->is_unreadable || job->webui->is_stopping)
        job_fail(job);
    else if (atomic_load(&job->is_cancelled))
        job_set_phase(job, JOB_OVER);
    else if (job->cursor)
        job_step(job);
    else
        take_found(job);
}

void job_find(struct job *job)
{
    job->read.answer_to = job->webui->mailbox;
    job->read.work = read_rows;
    job->read.done = on_rows;
    job->is_busy = queue_desk_ask(job->webui->queue_desk, &job->read);
    if (job->is_busy)
        job->webui->n_waiting++;
    else
        job_fail(job);
}
