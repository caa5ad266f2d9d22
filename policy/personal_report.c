#include "policy/personal_report.h"

#include "policy/policy_internal.h"

struct collecting {
    struct personal_count *counts;
    uint32_t n, size;
};

static void collect(void *owner, const struct personal_count *count)
{
    struct collecting *collecting = owner;

    if (collecting->n < collecting->size)
        collecting->counts[collecting->n++] = *count;
}

static int compare(const void *a, const void *b)
{
    const struct personal_count *one = a, *other = b;

    return (one->n < other->n) - (one->n > other->n);
}

static void run_done(struct task *task)
{
    struct personal_report_request *request = (struct personal_report_request *)(void *)task;

    request->done(request);
}

static void run_ask(struct task *task)
{
    struct personal_report_request *request = (struct personal_report_request *)(void *)task;
    const struct personal_book *book = &request->policy->quotas.personal;
    struct collecting all = {.size = book->counts.n_entries};

    all.counts = all.size ? calloc(all.size, sizeof(*all.counts)) : NULL;
    if (all.counts) {
        personal_book_each(book, clock_utc_ms(), collect, &all);
        qsort(all.counts, all.n, sizeof(*all.counts), compare);
    }
    request->counts = all.counts;
    request->n_counts = all.n < request->most ? all.n : request->most;
    request->task.run = run_done;
    mailbox_answer(request->answer_to, &request->task);
}

bool personal_report_ask(struct policy *policy, struct personal_report_request *request)
{
    request->policy = policy;
    request->counts = NULL;
    request->n_counts = 0;
    request->task.run = run_ask;
    return mailbox_post(policy->mailbox, &request->task);
}
