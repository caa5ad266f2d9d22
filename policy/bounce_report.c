#include "policy/bounce_report.h"

#include "policy/policy_internal.h"

static void append(struct buffer *out, const struct bounce_figures *figures, bool is_other,
                   struct slice name)
{
    for (uint32_t i = 0; i < N_BOUNCE_CLASSES; i++) {
        if (figures->failed[i] + figures->deferred[i] == 0)
            continue;
        buffer_append_u32(out, i);
        buffer_append_u64(out, figures->failed[i]);
        buffer_append_u64(out, figures->deferred[i]);
        buffer_append_u8(out, is_other);
        buffer_append_counted(out, name);
    }
}

static void run_done(struct task *task)
{
    struct bounce_report_request *request = (struct bounce_report_request *)(void *)task;

    request->done(request);
}

static void run_ask(struct task *task)
{
    struct bounce_report_request *request = (struct bounce_report_request *)(void *)task;
    struct bounce_counts *counts = &request->policy->bounces;

    LIST_FOR_EACH(link, &counts->by[request->by].ages)
    {
        const struct bounce_row *row = CONTAINER_OF(link, struct bounce_row, age);

        append(&request->rows, &row->figures, false, slice_from(row->name, row->n_name));
    }
    append(&request->rows, &counts->by[request->by].other, true, slice_of(""));
    request->task.run = run_done;
    mailbox_answer(request->answer_to, &request->task);
}

bool bounce_report_ask(struct policy *policy, struct bounce_report_request *request)
{
    request->policy = policy;
    request->rows = BUFFER_INIT;
    request->task.run = run_ask;
    return mailbox_post(policy->mailbox, &request->task);
}

void bounce_report_take(struct policy *policy, const struct tally_row *row)
{
    enum bounce_by by = (enum bounce_by)(row->kind - TALLY_BOUNCES_OF_USER);

    if (row->id < N_BOUNCE_CLASSES)
        bounce_counts_add(&policy->bounces, by, row->name, (enum bounce_class)row->id, row->first,
                          row->second);
}
