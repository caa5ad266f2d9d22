#include "policy/bounce_report.h"

#include "policy/policy_internal.h"
#include "relay/base/clock.h"

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

static bool append_campaign(void *owner, const struct campaign *campaign)
{
    struct bounce_report_request *request = owner;
    const struct directory *directory = request->policy->directory;
    const struct user *user = directory ? directory_user_by_id(directory, campaign->user_id) : NULL;
    CLEANUP(buffer) struct buffer name = BUFFER_INIT;

    if (user)
        buffer_append(&name, user->name);
    buffer_append_byte(&name, '/');
    buffer_append(&name, slice_of(campaign->name));
    append(&request->rows, &campaign->counts.bounces, false, buffer_slice(&name));
    return true;
}

static void append_campaigns(struct bounce_report_request *request)
{
    const struct campaign_book *book = &request->policy->quotas.campaigns;

    campaign_book_each(book, append_campaign, request);
    append(&request->rows, &book->other.bounces, true, slice_of(""));
}

static void append_names(struct bounce_report_request *request)
{
    struct bounce_counts *counts = &request->policy->bounces;

    LIST_FOR_EACH(link, &counts->by[request->by].ages)
    {
        const struct bounce_row *row = CONTAINER_OF(link, struct bounce_row, age);

        append(&request->rows, &row->figures, false, slice_from(row->name, row->n_name));
    }
    append(&request->rows, &counts->by[request->by].other, true, slice_of(""));
}

static void run_ask(struct task *task)
{
    struct bounce_report_request *request = (struct bounce_report_request *)(void *)task;

    if (request->by == BOUNCES_BY_CAMPAIGN)
        append_campaigns(request);
    else
        append_names(request);
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
    struct campaign_counts more = {0};

    if (row->id >= N_BOUNCE_CLASSES)
        return;
    if (by == BOUNCES_BY_CAMPAIGN) {
        more.bounces.failed[row->id] = row->first;
        more.bounces.deferred[row->id] = row->second;
        campaign_book_add(&policy->quotas.campaigns, row->user_id, row->name, &more,
                          clock_utc_ms());
    } else {
        bounce_counts_add(&policy->bounces, by, row->name, (enum bounce_class)row->id, row->first,
                          row->second);
    }
}
