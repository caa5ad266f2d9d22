#include "policy/warm_ups.h"

#include <stdlib.h>

#include "policy/policy_internal.h"
#include "policy/registry_warm_ups.h"
#include "relay/base/log.h"

struct batch {
    struct policy *policy;
    struct warm_ups_request request;
    struct warm_ups_query *first; /* who waits for it */
    uint32_t n_rows;
    struct warm_up_row rows[];
};

static void answer(struct warm_ups_query *query);

static void answer_all(struct warm_ups_query *first)
{
    while (first) {
        struct warm_ups_query *query = first;

        first = query->next;
        answer(query);
    }
}

/* ---- storing ---- */

static void count_changed(void *owner, struct warm_up *warm_up)
{
    *(uint32_t *)owner += warm_up->is_changed;
}

static void add_row(void *owner, struct warm_up *warm_up)
{
    struct batch *batch = owner;

    if (!warm_up->is_changed)
        return;
    warm_up->is_changed = false;
    batch->rows[batch->n_rows++] = (struct warm_up_row){
        slice_of(warm_up->address), slice_of(warm_up->provider), warm_up->state};
}

static void note_failed(struct policy *policy, const struct batch *batch)
{
    int64_t utc_ms = clock_utc_ms();

    for (uint32_t i = 0; i < batch->n_rows; i++) {
        struct warm_up *warm_up = warm_up_find(&policy->warm_ups.book, batch->rows[i].address,
                                               batch->rows[i].provider, utc_ms);

        if (warm_up)
            warm_up->is_changed = true; /* with the next one */
    }
}

static void store(struct policy *policy);

static void end_batch(struct batch *batch)
{
    struct policy *policy = batch->policy;
    const struct registry_request *request = &batch->request.request;

    policy->n_outstanding--;
    policy->warm_ups.is_storing = false;
    if (request->result != REGISTRY_OK) {
        note_failed(policy, batch);
        EVENT(EVENT_WARM_UP_NOT_STORED, field_text("reason", request->sentence));
    }
    answer_all(batch->first);
    free(batch);
}

static void on_stored(struct registry_request *request)
{
    struct batch *batch = CONTAINER_OF(request, struct batch, request.request);
    struct policy *policy = batch->policy;
    bool has_failed = request->result != REGISTRY_OK;

    end_batch(batch);
    if (policy->warm_ups.first || (policy->is_stopping && !has_failed))
        store(policy);
}

static struct batch *make_batch(struct policy *policy)
{
    struct warm_ups *desk = &policy->warm_ups;
    struct batch *batch;
    uint32_t n = 0;

    warm_up_book_each(&desk->book, count_changed, &n);
    batch = calloc(1, sizeof(*batch) + n * sizeof(batch->rows[0]));
    if (!batch)
        return NULL;
    batch->policy = policy;
    warm_up_book_each(&desk->book, add_row, batch);
    batch->first = TAKE(desk->first);
    desk->last = &desk->first;
    batch->request.rows = batch->rows;
    batch->request.n_rows = batch->n_rows;
    batch->request.request = (struct registry_request){
        .answer_to = policy->mailbox, .done = on_stored, .by = SLICE_LITERAL("warm-up")};
    return batch;
}

/* One transaction at a time; what comes meanwhile goes with the next. */
static void store(struct policy *policy)
{
    struct warm_ups *desk = &policy->warm_ups;
    struct batch *batch = desk->is_storing ? NULL : make_batch(policy);

    if (!batch && !desk->is_storing) {
        answer_all(TAKE(desk->first));
        desk->last = &desk->first;
    }
    if (!batch)
        return;
    if (batch->n_rows == 0) {
        answer_all(batch->first);
        free(batch);
        return;
    }
    desk->is_storing = true;
    policy->n_outstanding++;
    if (registry_store_warm_ups(policy->registry, &batch->request))
        return;
    batch->request.request.result = REGISTRY_FAILED;
    end_batch(batch);
}

/* ---- asking ---- */

static void run_done(struct task *task)
{
    struct warm_ups_query *query = CONTAINER_OF(task, struct warm_ups_query, task);

    query->done(query);
}

static void answer(struct warm_ups_query *query)
{
    query->task.run = run_done;
    mailbox_answer(query->answer_to, &query->task);
}

static void tell(const struct warm_ups_query *query)
{
    const struct warm_up_answer *answer = &query->answer;

    EVENT(answer->move == WARM_UP_ADVANCES ? EVENT_WARM_UP_ADVANCED : EVENT_WARM_UP_STEPPED_BACK,
          field_slice("egress", query->address), field_slice("provider", query->provider),
          field_number("day", answer->day), field_number("days", answer->n_days),
          field_number("limit", answer->limit), field_number("taken", answer->n_well),
          field_number("put_off", answer->n_put_off));
}

static void run_ask(struct task *task)
{
    struct warm_ups_query *query = CONTAINER_OF(task, struct warm_ups_query, task);
    struct policy *policy = query->policy;
    struct warm_ups *desk = &policy->warm_ups;
    int64_t utc_ms = clock_utc_ms();
    struct warm_up *warm_up = warm_up_find(&desk->book, query->address, query->provider, utc_ms);

    query->answer = (struct warm_up_answer){.move = WARM_UP_STAYS};
    query->next = NULL;
    if (warm_up)
        warm_up_ask(warm_up, query->curve, &query->news, utc_ms, &query->answer);
    if (query->answer.move != WARM_UP_STAYS)
        tell(query);
    if (!warm_up || query->answer.is_durable) {
        answer(query);
        return;
    }
    *desk->last = query;
    desk->last = &query->next;
    store(policy);
}

void warm_ups_ask(struct policy *policy, struct warm_ups_query *query)
{
    query->policy = policy;
    query->task.run = run_ask;
    mailbox_answer(policy->mailbox, &query->task); /* one for each pair and loop: bounded */
}

/* ---- the list ---- */

static void add_view(void *owner, struct warm_up *warm_up)
{
    struct warm_ups_list *list = owner;
    struct warm_up_view *view = &list->views[list->n_views++];

    slice_copy_to(slice_of(warm_up->address), view->address, sizeof(view->address));
    slice_copy_to(slice_of(warm_up->provider), view->provider, sizeof(view->provider));
    view->state = warm_up->state;
}

static void run_list_done(struct task *task)
{
    struct warm_ups_list *list = CONTAINER_OF(task, struct warm_ups_list, task);

    list->done(list);
}

static void run_list(struct task *task)
{
    struct warm_ups_list *list = CONTAINER_OF(task, struct warm_ups_list, task);
    struct warm_up_book *book = &list->policy->warm_ups.book;

    list->n_views = 0;
    list->views = calloc(book->table.n_entries + 1, sizeof(*list->views));
    if (list->views)
        warm_up_book_each(book, add_view, list);
    list->task.run = run_list_done;
    mailbox_answer(list->answer_to, &list->task);
}

bool warm_ups_ask_list(struct policy *policy, struct warm_ups_list *list)
{
    list->policy = policy;
    list->task.run = run_list;
    return mailbox_post(policy->mailbox, &list->task);
}

/* ---- start and stop ---- */

static int load(void *owner, const struct warm_up_row *row)
{
    struct policy *policy = owner;

    return warm_up_book_load(&policy->warm_ups.book, row->address, row->provider, &row->state);
}

int warm_ups_init(struct policy *policy)
{
    warm_up_book_init(&policy->warm_ups.book);
    policy->warm_ups.last = &policy->warm_ups.first;
    return registry_load_warm_ups(policy->registry, load, policy);
}

void warm_ups_stop(struct policy *policy)
{
    store(policy);
}

void warm_ups_fini(struct policy *policy)
{
    warm_up_book_fini(&policy->warm_ups.book);
}
