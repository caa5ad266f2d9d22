/* How users use what they have: quotas, what waits, how the last day went, when they last came. */
#include <stdlib.h>

#include "policy/registry_users.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/user_json.h"

/* ---- one user ---- */

static void add_quotas(json_t *body, const struct quota_use *use)
{
    json_t *used = json_object(), *quotas = json_object();

    for (unsigned i = 0; i < N_QUOTA_BUDGETS; i++) {
        const char *name = quota_budget_name((enum quota_budget)i);

        json_object_set_new(used, name, json_integer(use->used[i]));
        if (use->limits.budgets[i])
            json_object_set_new(quotas, name, json_integer(use->limits.budgets[i]));
    }
    json_object_set_new(body, "used", used);
    json_object_set_new(body, "quotas", quotas);
}

/* As the last look saw it. */
static void add_waits(json_t *body, const struct webui *webui, uint32_t user_id)
{
    const struct pulse *pulse = &webui->pulse;
    struct user_wait wait = user_waits_of(&pulse->waits, user_id);
    bool is_known = pulse->view.seen_ms && !pulse->waits.is_cut;

    json_object_set_new(body, "queued", is_known ? json_integer(wait.n_queued) : json_null());
    json_object_set_new(body, "held", is_known ? json_integer(wait.n_held) : json_null());
}

static json_t *day_json(const struct webui *webui, struct slice name)
{
    const struct past_sums *day = past_find(&webui->past, COUNTER_USER, PAST_DAY, name);
    int64_t n_ended = day ? day->delivered + day->bounced : 0;

    if (!day)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "accepted", (json_int_t)day->accepted,
                     "delivered", (json_int_t)day->delivered, "deferred", (json_int_t)day->deferred,
                     "bounced", (json_int_t)day->bounced, "bounce_percent",
                     n_ended ? json_real(100.0 * (double)day->bounced / (double)n_ended)
                             : json_null());
}

struct use_call {
    struct quota_uses_request quotas;
    struct quota_use use;
    struct past_wait past;
    struct exchange *exchange;
    struct slice name;
    json_t *body;
};

static void on_past_of_one(struct past_wait *wait)
{
    struct use_call *call = CONTAINER_OF(wait, struct use_call, past);
    const struct webui *webui = call->exchange->webui;

    add_waits(call->body, webui, call->use.user_id);
    json_object_set_new(call->body, "day", day_json(webui, call->name));
    exchange_answer(call->exchange, 200, call->body);
}

static void ask_past_of_one(struct use_call *call)
{
    call->past.done = on_past_of_one;
    past_await(&call->exchange->webui->past, &call->past);
}

static void on_quotas_of_one(struct quota_uses_request *request)
{
    struct use_call *call = CONTAINER_OF(request, struct use_call, quotas);

    add_quotas(call->body, &call->use);
    ask_past_of_one(call);
}

void user_answer_with_use(struct exchange *exchange, const struct user *user, json_t *body)
{
    struct policy *policy = exchange->webui->parts.policy;
    struct use_call *call = exchange_memory(exchange, sizeof(*call));

    if (call)
        call->name = arena_copy(&exchange->arena, user->name);
    if (!call || !call->name.data) {
        json_decref(body);
        if (call) /* otherwise it is answered already */
            exchange_busy(exchange);
        return;
    }
    pulse_want(&exchange->webui->pulse);
    call->exchange = exchange;
    call->body = body;
    call->use.user_id = user->id;
    call->quotas.answer_to = exchange->webui->mailbox;
    call->quotas.done = on_quotas_of_one;
    call->quotas.uses = &call->use;
    call->quotas.n_uses = 1;
    if (!policy) {
        ask_past_of_one(call);
    } else if (!quota_ask_uses(policy, &call->quotas)) {
        json_decref(body);
        exchange_busy(exchange);
    }
}

/* ---- all of them ---- */

struct user_list {
    struct last_uses_request last; /* first: registry_call_memory() */
    struct quota_uses_request quotas;
    struct past_wait past;
    struct exchange *exchange;
};

static int compare_uses(const void *a, const void *b)
{
    uint32_t left = ((const struct quota_use *)a)->user_id;
    uint32_t right = ((const struct quota_use *)b)->user_id;

    return (left > right) - (left < right);
}

static int compare_last_uses(const void *a, const void *b)
{
    uint32_t left = ((const struct last_use *)a)->user_id;
    uint32_t right = ((const struct last_use *)b)->user_id;

    return (left > right) - (left < right);
}

static int64_t last_use_of(const struct user_list *list, uint32_t user_id)
{
    struct last_use key = {.user_id = user_id};
    const struct last_use *found = NULL;

    if (list->last.uses.len)
        found = bsearch(&key, list->last.uses.data, list->last.uses.len / sizeof(key), sizeof(key),
                        compare_last_uses);
    return found ? found->utc_ms : 0;
}

/* Users who came after the question about quotas have none yet. */
static json_t *row_json(const struct user_list *list, const struct user *user)
{
    const struct webui *webui = list->exchange->webui;
    json_t *row = user_json(webui->directory, user);
    struct quota_use key = {.user_id = user->id};
    const struct quota_use *use =
        list->quotas.n_uses
            ? bsearch(&key, list->quotas.uses, list->quotas.n_uses, sizeof(key), compare_uses)
            : NULL;

    json_object_set_new(row, "last_used", json_time(last_use_of(list, user->id)));
    if (use)
        add_quotas(row, use);
    add_waits(row, webui, user->id);
    json_object_set_new(row, "day", day_json(webui, user->name));
    return row;
}

static void end(struct user_list *list)
{
    free(list->quotas.uses);
    buffer_fini(&list->last.uses);
}

static void on_past(struct past_wait *wait)
{
    struct user_list *list = CONTAINER_OF(wait, struct user_list, past);
    const struct directory *directory = list->exchange->webui->directory;
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_users; i++)
        json_array_append_new(items, row_json(list, &directory->users[i]));
    end(list);
    exchange_answer_items(list->exchange, items, NULL);
}

static void ask_past(struct user_list *list)
{
    list->past.done = on_past;
    past_await(&list->exchange->webui->past, &list->past);
}

static void on_quotas(struct quota_uses_request *request)
{
    ask_past(CONTAINER_OF(request, struct user_list, quotas));
}

static bool name_all(struct user_list *list, const struct directory *directory)
{
    list->quotas.uses = calloc(directory->n_users + 1, sizeof(*list->quotas.uses));
    if (!list->quotas.uses)
        return false;
    list->quotas.n_uses = directory->n_users;
    for (uint32_t i = 0; i < directory->n_users; i++)
        list->quotas.uses[i].user_id = directory->users[i].id;
    qsort(list->quotas.uses, list->quotas.n_uses, sizeof(*list->quotas.uses), compare_uses);
    return true;
}

static void on_last_uses(struct registry_request *request)
{
    struct user_list *list = (struct user_list *)(void *)request;
    struct exchange *exchange = registry_call_exchange(request);
    const struct webui *webui = exchange->webui;

    if (!registry_call_went_well(request)) {
        end(list);
    } else if (!webui->parts.policy || !webui->directory) {
        ask_past(list);
    } else if (!name_all(list, webui->directory) ||
               !quota_ask_uses(webui->parts.policy, &list->quotas)) {
        end(list);
        exchange_busy(exchange);
    }
}

void api_users_list(struct exchange *exchange)
{
    struct user_list *list = registry_call_memory(exchange, sizeof(*list));

    if (!list)
        return;
    pulse_want(&exchange->webui->pulse);
    registry_call_begin(exchange, &list->last.request, on_last_uses);
    list->exchange = exchange;
    list->quotas.answer_to = exchange->webui->mailbox;
    list->quotas.done = on_quotas;
    if (!registry_last_uses(exchange->webui->parts.registry, &list->last))
        exchange_busy(exchange);
}
