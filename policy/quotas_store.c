/* Blocks of budgets, daily counts and networks, on their way into staffetta.db: whatever waits goes
 * in one transaction, and what comes meanwhile in the next. */
#include <errno.h>
#include <stdio.h>

#include "policy/policy_internal.h"

struct batch {
    struct policy *policy;
    struct counts_request request;
    struct quota_request *first; /* who waits for it */
    uint32_t n_quotas;
    struct quota_row quotas[QUOTAS_MOST_PENDING];
    struct count_row rows[2 * QUOTAS_MOST_PENDING];
    struct brake_network networks[QUOTAS_MOST_PENDING];
};

static void answer_all(struct quota_request *first)
{
    while (first) {
        struct quota_request *request = first;

        first = request->next;
        quotas_answer(request);
    }
}

static void answer_waiting(struct quotas *quotas)
{
    answer_all(TAKE(quotas->first));
    quotas->last = &quotas->first;
}

/* Those whose counts are in it: whoever is left out waits for the next. */
static void take_waiting(struct quotas *quotas, struct batch *batch)
{
    struct quota_request *request = TAKE(quotas->first), **last = &batch->first;

    quotas->last = &quotas->first;
    while (request) {
        struct quota_request *next = request->next;
        bool is_in = !quota_book_is_unstored(&quotas->book, request->user_id);
        struct quota_request ***end = is_in ? &last : &quotas->last;

        request->next = NULL;
        **end = request;
        *end = &request->next;
        request = next;
    }
}

static void fill(struct quotas *quotas, struct batch *batch)
{
    struct counts_request *request = &batch->request;

    batch->n_quotas = quota_book_take(&quotas->book, batch->quotas, QUOTAS_MOST_PENDING);
    request->rows = batch->rows;
    request->networks = batch->networks;
    for (uint32_t i = 0; i < batch->n_quotas; i++) {
        const struct quota_row *quota = &batch->quotas[i];
        struct count_row *row = &batch->rows[request->n_rows++];

        snprintf(row->owner, sizeof(row->owner), "user:%u", quota->user_id);
        row->budget = quota_budget_name(quota->budget);
        row->period = quota->period;
        row->value = quota->reserved;
        row->told = quota->told;
    }
    for (uint32_t i = 0; i < quotas->n_rows; i++)
        batch->rows[request->n_rows++] = quotas->rows[i];
    for (uint32_t i = 0; i < quotas->n_networks; i++)
        batch->networks[request->n_networks++] = quotas->networks[i];
    quotas->n_rows = quotas->n_networks = 0;
}

static void fire(struct policy *policy, struct due *due)
{
    (void)due;
    quotas_store(policy);
}

/* Mail does not wait for a disk that fails: what is counted then is known to memory alone, and is
 * stored as soon as that works again. */
static void note_failure(struct policy *policy, const struct registry_request *request)
{
    struct quotas *quotas = &policy->quotas;

    if (!quotas->has_failed)
        EVENT(EVENT_QUOTA_NOT_STORED, field_text("reason", request->sentence));
    quotas->has_failed = true;
    quotas->retry.fire = fire;
    if (!policy->is_stopping &&
        policy_set_due(policy, &quotas->retry, clock_monotonic_ms() + QUOTAS_RETRY_MS) != 0)
        FAULT(-ENOMEM);
}

/* True: it is stored.  Frees the batch. */
static bool end_batch(struct batch *batch)
{
    struct policy *policy = batch->policy;
    bool is_stored = batch->request.request.result == REGISTRY_OK;

    policy->n_outstanding--;
    policy->quotas.is_storing = false;
    for (uint32_t i = 0; i < batch->n_quotas; i++)
        quota_book_stored(&policy->quotas.book, &batch->quotas[i], is_stored);
    answer_all(batch->first);
    if (is_stored) {
        policy->quotas.has_failed = false;
    } else {
        answer_waiting(&policy->quotas);
        note_failure(policy, &batch->request.request);
    }
    free(batch);
    return is_stored;
}

static void on_stored(struct registry_request *request)
{
    struct batch *batch = CONTAINER_OF(request, struct batch, request.request);
    struct policy *policy = batch->policy;

    if (end_batch(batch))
        quotas_store(policy);
}

static bool has_something(const struct quotas *quotas)
{
    return !list_is_empty(&quotas->book.unstored) || quotas->n_rows || quotas->n_networks;
}

void quotas_store(struct policy *policy)
{
    struct quotas *quotas = &policy->quotas;
    struct batch *batch;

    if (quotas->is_storing || !has_something(quotas))
        return;
    if (policy->quotas.retry.node.place != HEAP_NOWHERE && quotas->has_failed) {
        answer_waiting(quotas);
        return; /* the disk is tried again when the time comes */
    }
    batch = calloc(1, sizeof(*batch));
    if (!batch) {
        answer_waiting(quotas);
        return;
    }
    batch->policy = policy;
    fill(quotas, batch);
    take_waiting(quotas, batch);
    batch->request.request = (struct registry_request){
        .answer_to = policy->mailbox, .done = on_stored, .by = SLICE_LITERAL("quota")};
    quotas->is_storing = true;
    policy->n_outstanding++;
    if (!registry_store_counts(policy->registry, &batch->request)) {
        batch->request.request.result = REGISTRY_FAILED;
        (void)end_batch(batch);
    }
}

/* ---- what is added to the next batch ---- */

void quotas_note_count(struct policy *policy, const struct personal_count *count)
{
    struct quotas *quotas = &policy->quotas;
    struct count_row *row;

    if (quotas->n_rows == QUOTAS_MOST_PENDING)
        return; /* its next hundred comes along */
    row = &quotas->rows[quotas->n_rows++];
    snprintf(row->owner, sizeof(row->owner), "domain:%s", count->domain);
    row->budget = personal_provider_name(count->provider);
    row->period = count->day;
    row->value = count->n;
    row->told = count->told;
    quotas_store(policy);
}

void quotas_note_network(struct policy *policy, const struct brake_network *network)
{
    struct quotas *quotas = &policy->quotas;

    if (quotas->n_networks == QUOTAS_MOST_PENDING)
        return;
    quotas->networks[quotas->n_networks++] = *network;
    quotas_store(policy);
}

/* ---- start and stop ---- */

static int load_user_count(struct policy *policy, const struct stored_count *stored)
{
    struct quota_row row = {
        .period = stored->period, .reserved = stored->value, .told = stored->told};
    uint64_t user_id;

    if (!slice_to_number(slice_skip(stored->owner, strlen("user:")), UINT32_MAX, &user_id) ||
        !quota_budget_parse(stored->budget, &row.budget))
        return 0;
    row.user_id = (uint32_t)user_id;
    return quota_book_load(&policy->quotas.book, &row);
}

static int load_domain_count(struct policy *policy, const struct stored_count *stored)
{
    struct personal_count count = {.day = stored->period, .n = stored->value, .told = stored->told};

    if (!personal_provider_parse(stored->budget, &count.provider))
        return 0;
    slice_copy_to(slice_skip(stored->owner, strlen("domain:")), count.domain, sizeof(count.domain));
    return personal_book_load(&policy->quotas.personal, &count);
}

static int load_count(void *owner, const struct stored_count *stored)
{
    return slice_starts_with(stored->owner, SLICE_LITERAL("user:"))
               ? load_user_count(owner, stored)
               : load_domain_count(owner, stored);
}

static int load_network(void *owner, const struct brake_network *network)
{
    return brake_book_load(&((struct policy *)owner)->quotas.brake, network);
}

int quotas_init(struct policy *policy)
{
    struct quotas *quotas = &policy->quotas;
    int error;

    quotas->last = &quotas->first;
    quota_book_init(&quotas->book, clock_monotonic_ms());
    brake_book_init(&quotas->brake, clock_utc_ms());
    campaign_book_init(&quotas->campaigns);
    quotas->rows = calloc(QUOTAS_MOST_PENDING, sizeof(*quotas->rows));
    quotas->networks = calloc(QUOTAS_MOST_PENDING, sizeof(*quotas->networks));
    if (!quotas->rows || !quotas->networks)
        return FAULT(-ENOMEM);
    error = registry_load_counts(policy->registry, load_count, policy);
    return error ? error : registry_load_networks(policy->registry, load_network, policy);
}

static void note_all(void *owner, const struct personal_count *count)
{
    quotas_note_count(owner, count);
}

void quotas_stop(struct policy *policy)
{
    struct quotas *quotas = &policy->quotas;
    int64_t utc_ms = clock_utc_ms();

    policy_cancel_due(policy, &quotas->retry);
    quota_book_settle(&quotas->book, utc_ms);
    personal_book_each(&quotas->personal, utc_ms, note_all, policy);
    quotas_store(policy);
}

void quotas_fini(struct policy *policy)
{
    struct quotas *quotas = &policy->quotas;
    struct key_entry *entry;

    while ((entry = key_table_take_any(&quotas->braked)))
        free(entry); /* the entry is its first member */
    key_table_fini(&quotas->braked);
    if (quotas->last) {
        quota_book_fini(&quotas->book);
        brake_book_fini(&quotas->brake);
        campaign_book_fini(&quotas->campaigns);
    }
    personal_book_fini(&quotas->personal);
    free(quotas->rows);
    free(quotas->networks);
}

void quotas_on_notice(struct policy *policy,
                      void (*tell)(void *owner, const struct quota_notice *notice), void *owner)
{
    policy->quotas.tell = tell;
    policy->quotas.owner = owner;
}
