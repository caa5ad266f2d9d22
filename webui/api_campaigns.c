/* Campaigns by name: what was accepted of them since the start, and what became of it. */
#include <stdlib.h>

#include "policy/quotas.h"
#include "webui/routes.h"

enum { MOST_LISTED = 1000 };

struct campaigns_call {
    struct campaigns_request request;
    struct exchange *exchange;
};

static json_t *counts_json(const struct campaign_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "messages", (json_int_t)counts->n_messages,
                     "recipients", (json_int_t)counts->n_recipients, "delivered",
                     (json_int_t)counts->n_delivered, "failed", (json_int_t)counts->n_failed);
}

static json_t *campaign_json(const struct directory *directory, const struct campaign *campaign)
{
    const struct user *user = directory ? directory_user_by_id(directory, campaign->user_id) : NULL;
    json_t *body = counts_json(&campaign->counts);

    json_object_set_new(body, "name", json_slice(slice_of(campaign->name)));
    json_object_set_new(body, "user", json_slice(user ? user->name : SLICE_LITERAL("")));
    json_object_set_new(body, "first", json_time(campaign->first_utc_ms));
    json_object_set_new(body, "last", json_time(campaign->last_utc_ms));
    return body;
}

static void answer(struct campaigns_request *request)
{
    struct campaigns_call *call = CONTAINER_OF(request, struct campaigns_call, request);
    json_t *items = json_array();

    for (uint32_t i = 0; request->campaigns && i < request->n_campaigns; i++)
        json_array_append_new(
            items, campaign_json(call->exchange->webui->directory, &request->campaigns[i]));
    if (request->n_folded) {
        json_t *other = counts_json(&request->other);

        json_object_set_new(other, "name", json_string("other"));
        json_object_set_new(other, "campaigns", json_integer((json_int_t)request->n_folded));
        json_array_append_new(items, other);
    }
    free(request->campaigns);
    exchange_answer_items(call->exchange, items, NULL);
}

void api_campaigns(struct exchange *exchange)
{
    struct campaigns_call *call = exchange_memory(exchange, sizeof(*call));

    if (!call)
        return;
    call->exchange = exchange;
    call->request = (struct campaigns_request){
        .answer_to = exchange->webui->mailbox, .done = answer, .most = MOST_LISTED};
    if (!exchange->webui->parts.policy ||
        !quota_ask_campaigns(exchange->webui->parts.policy, &call->request))
        exchange_busy(exchange);
}
