#include "policy/quotas.h"

#include "policy/policy_internal.h"

_Static_assert((int)N_USER_QUOTAS == (int)N_QUOTA_RATES + (int)N_QUOTA_BUDGETS,
               "each quota is a budget or a rate");
_Static_assert(USER_LIMIT_MESSAGES_PER_HOUR - USER_LIMIT_FIRST_QUOTA == N_QUOTA_RATES &&
                   USER_LIMIT_TRANSACTIONAL_PER_HOUR - USER_LIMIT_MESSAGES_PER_HOUR ==
                       QUOTA_TRANSACTIONAL_PER_HOUR,
               "in the same order");

/* ---- limits ---- */

static uint32_t limit_of(const struct user *user, unsigned which, uint32_t general)
{
    int64_t own = user->limits[which];

    if (own == USER_LIMIT_NONE)
        return 0;
    return own ? (uint32_t)own : general;
}

void quota_limits_of(const struct user *user, const struct quota_limits *defaults,
                     struct quota_limits *out)
{
    for (unsigned i = 0; i < N_QUOTA_RATES; i++)
        out->rates[i] = limit_of(user, USER_LIMIT_FIRST_QUOTA + i, defaults->rates[i]);
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        out->budgets[i] = limit_of(user, USER_LIMIT_MESSAGES_PER_HOUR + i, defaults->budgets[i]);
}

bool quota_limits_exist(const struct quota_limits *limits)
{
    for (unsigned i = 0; i < N_QUOTA_RATES; i++)
        if (limits->rates[i])
            return true;
    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++)
        if (limits->budgets[i])
            return true;
    return false;
}

/* ---- one question ---- */

static void run_done(struct task *task)
{
    struct quota_request *request = (struct quota_request *)(void *)task;

    request->done(request);
}

void quotas_answer(struct quota_request *request)
{
    request->task.run = run_done;
    mailbox_answer(request->answer_to, &request->task);
}

static void warn(struct policy *policy, const struct user *user,
                 const struct quota_warning *warning)
{
    char until[CLOCK_DATE_SIZE];

    clock_format_timestamp(warning->ends_utc_ms, until);
    EVENT(EVENT_QUOTA_WARNING, field_slice("user", user->name),
          field_text("quota", quota_budget_name(warning->budget)),
          field_number("percent", warning->percent), field_number("used", warning->used),
          field_number("of", warning->limit), field_text("until", until));
    if (policy->quotas.tell && !policy->is_stopping)
        policy->quotas.tell(policy->quotas.owner,
                            &(struct quota_notice){.kind = NOTICE_QUOTA,
                                                   .user_id = user->id,
                                                   .user = user->name,
                                                   .address = quotas_address_of(user),
                                                   .warning = *warning});
}

static void refuse_instead(struct policy *policy, struct quota_request *request)
{
    struct quota_refund refund = {.user_id = request->user_id,
                                  .n_messages = 1,
                                  .n_recipients = request->n_recipients,
                                  .n_transactional =
                                      request->is_transactional ? request->n_recipients : 0,
                                  .counted_utc_ms = request->counted_utc_ms};

    quota_book_refund(&policy->quotas.book, &refund);
    request->verdict = QUOTA_REFUSED;
}

static void take_answer(struct policy *policy, const struct user *user,
                        struct quota_request *request, const struct quota_answer *answer)
{
    request->is_transactional = answer->is_transactional;
    request->is_over = answer->is_held;
    request->budget = answer->budget;
    request->until_utc_ms = answer->until_utc_ms;
    request->counted_utc_ms = answer->counted_utc_ms;
    if (quotas_is_braked(policy, user))
        request->verdict = QUOTA_BRAKED;
    else if (answer->is_held && user->refuse_over_quota)
        refuse_instead(policy, request);
    else if (answer->is_held)
        request->verdict = QUOTA_HELD;
    if (answer->delay_ms && request->verdict == QUOTA_PASSES &&
        quota_book_may_delay(&policy->quotas.book, user->id,
                             session_table_of_user(&policy->sessions, user->id)))
        request->delay_ms = answer->delay_ms;
}

static void wait_for_store(struct quotas *quotas, struct quota_request *request)
{
    request->next = NULL;
    *quotas->last = request;
    quotas->last = &request->next;
}

static void judge(struct policy *policy, const struct user *user, struct quota_request *request)
{
    struct quotas *quotas = &policy->quotas;
    const struct quota_charge charge = {request->user_id, request->n_recipients,
                                        request->wants_transactional};
    struct quota_limits limits;
    struct quota_answer answer;
    int64_t utc_ms = clock_utc_ms();

    quota_limits_of(user, &policy->settings.quotas, &limits);
    if (quota_book_charge(&quotas->book, &limits, &charge, clock_monotonic_ms(), utc_ms, &answer)) {
        quotas_answer(request); /* without memory it passes */
        return;
    }
    if (user->has_brake)
        quotas_look_at(
            policy, user,
            brake_book_accepted(&quotas->brake, user->id, request->n_recipients, utc_ms));
    take_answer(policy, user, request, &answer);
    for (unsigned i = 0; i < answer.n_warnings; i++)
        warn(policy, user, &answer.warnings[i]);
    if (answer.is_durable || policy->is_stopping)
        quotas_answer(request);
    else
        wait_for_store(quotas, request);
    quotas_store(policy);
}

static void run_ask(struct task *task)
{
    struct quota_request *request = (struct quota_request *)(void *)task;
    struct policy *policy = request->policy;
    const struct user *user =
        policy->directory ? directory_user_by_id(policy->directory, request->user_id) : NULL;

    request->verdict = QUOTA_PASSES;
    request->is_transactional = request->wants_transactional;
    request->is_over = false;
    request->delay_ms = 0;
    request->until_utc_ms = request->counted_utc_ms = 0;
    if (user)
        judge(policy, user, request);
    else
        quotas_answer(request);
}

bool quota_ask(struct policy *policy, struct quota_request *request)
{
    request->policy = policy;
    request->task.run = run_ask;
    return mailbox_post(policy->mailbox, &request->task);
}

/* ---- giving back ---- */

struct return_note {
    struct task task;
    struct policy *policy;
    struct quota_return what;
};

static void tell_class(struct policy *policy, uint32_t user_id)
{
    const struct user *user =
        policy->directory ? directory_user_by_id(policy->directory, user_id) : NULL;
    int64_t utc_ms = clock_utc_ms();
    struct quota_limits limits;

    if (!user || !quota_book_class_exceeded(&policy->quotas.book, user_id, utc_ms))
        return;
    quota_limits_of(user, &policy->settings.quotas, &limits);
    EVENT(EVENT_CLASS_EXCEEDED, field_slice("user", user->name),
          field_text("quota", quota_budget_name(QUOTA_TRANSACTIONAL_PER_HOUR)),
          field_number("of", limits.budgets[QUOTA_TRANSACTIONAL_PER_HOUR]));
    quotas_store(policy);
}

static void run_return(struct task *task)
{
    struct return_note *note = (struct return_note *)(void *)task;
    struct quota_book *book = &note->policy->quotas.book;

    quota_book_refund(book, &note->what.refund);
    if (note->what.ends_delay)
        quota_book_delay_ended(book, note->what.refund.user_id);
    if (note->what.is_class_exceeded)
        tell_class(note->policy, note->what.refund.user_id);
    free(note);
}

void quota_give_back(struct policy *policy, const struct quota_return *what)
{
    struct return_note *note = calloc(1, sizeof(*note));

    if (!note)
        return;
    *note = (struct return_note){{.run = run_return}, policy, *what};
    mailbox_answer(policy->mailbox, &note->task);
}

/* ---- tallies ---- */

static void count_personal(struct policy *policy, const struct tally_row *row)
{
    const struct personal_count *count;
    bool is_noteworthy;
    unsigned percent =
        personal_book_add(&policy->quotas.personal, row->name, (enum personal_provider)row->id,
                          row->first, clock_utc_ms(), &count, &is_noteworthy);

    if (is_noteworthy)
        quotas_note_count(policy, count);
    if (percent)
        EVENT(EVENT_BULK_SENDER_WARNING, field_slice("domain", row->name),
              field_text("provider", personal_provider_name((enum personal_provider)row->id)),
              field_number("percent", percent), field_number("count", count->n),
              field_number("of", PERSONAL_BULK));
}

static void count_campaign(struct policy *policy, const struct tally_row *row)
{
    struct campaign_counts more = {.n_messages = row->first, .n_recipients = row->second};

    if (row->kind == TALLY_CAMPAIGN_ENDED)
        more = (struct campaign_counts){.n_delivered = row->first, .n_failed = row->second};
    campaign_book_add(&policy->quotas.campaigns, row->id, row->name, &more, clock_utc_ms());
}

void quotas_take_tally(struct policy *policy, const struct tally_row *row)
{
    struct quotas *quotas = &policy->quotas;
    const struct user *user =
        policy->directory ? directory_user_by_id(policy->directory, row->id) : NULL;
    int64_t utc_ms = clock_utc_ms();

    if (row->kind == TALLY_CAMPAIGN_ACCEPTED || row->kind == TALLY_CAMPAIGN_ENDED) {
        count_campaign(policy, row);
        return;
    }
    if (row->kind == TALLY_PERSONAL) {
        count_personal(policy, row);
        return;
    }
    if (!user)
        return;
    if (row->kind == TALLY_ACCEPTED)
        quota_book_note(&quotas->book, user->id, row->first, row->second, utc_ms);
    if (row->kind == TALLY_ACCEPTED && user->has_brake)
        quotas_look_at(policy, user,
                       brake_book_accepted(&quotas->brake, user->id, row->second, utc_ms));
    if (row->kind == TALLY_CONCLUDED && user->has_brake)
        quotas_look_at(
            policy, user,
            brake_book_concluded(&quotas->brake, user->id,
                                 &(struct brake_conclusions){row->name, row->first, row->second},
                                 utc_ms));
}

/* ---- usage ---- */

static void find_usage(struct policy *policy, uint32_t user_id, uint32_t used[N_QUOTA_BUDGETS],
                       struct quota_limits *limits)
{
    const struct user *user =
        policy->directory ? directory_user_by_id(policy->directory, user_id) : NULL;

    quota_book_usage(&policy->quotas.book, user_id, clock_utc_ms(), used);
    *limits = policy->settings.quotas;
    if (user)
        quota_limits_of(user, &policy->settings.quotas, limits);
}

static void run_uses_done(struct task *task)
{
    struct quota_uses_request *request = (struct quota_uses_request *)(void *)task;

    request->done(request);
}

static void run_uses(struct task *task)
{
    struct quota_uses_request *request = (struct quota_uses_request *)(void *)task;

    for (uint32_t i = 0; i < request->n_uses; i++)
        find_usage(request->policy, request->uses[i].user_id, request->uses[i].used,
                   &request->uses[i].limits);
    request->task.run = run_uses_done;
    mailbox_answer(request->answer_to, &request->task);
}

bool quota_ask_uses(struct policy *policy, struct quota_uses_request *request)
{
    request->policy = policy;
    request->task.run = run_uses;
    return mailbox_post(policy->mailbox, &request->task);
}

/* ---- campaigns ---- */

static bool copy_campaign(void *owner, const struct campaign *campaign)
{
    struct campaigns_request *request = owner;

    request->campaigns[request->n_campaigns++] = *campaign;
    return request->n_campaigns < request->most;
}

static void run_campaigns_done(struct task *task)
{
    struct campaigns_request *request = (struct campaigns_request *)(void *)task;

    request->done(request);
}

static void run_campaigns(struct task *task)
{
    struct campaigns_request *request = (struct campaigns_request *)(void *)task;
    const struct campaign_book *book = &request->policy->quotas.campaigns;

    if (request->most > book->by_name.n_entries)
        request->most = book->by_name.n_entries;
    request->n_campaigns = 0;
    request->campaigns = calloc(request->most + 1, sizeof(*request->campaigns));
    if (request->campaigns && request->most)
        campaign_book_each(book, copy_campaign, request);
    request->other = book->other;
    request->n_folded = book->n_folded;
    request->task.run = run_campaigns_done;
    mailbox_answer(request->answer_to, &request->task);
}

bool quota_ask_campaigns(struct policy *policy, struct campaigns_request *request)
{
    request->policy = policy;
    request->task.run = run_campaigns;
    return mailbox_post(policy->mailbox, &request->task);
}
