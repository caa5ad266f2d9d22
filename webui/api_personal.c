/* Mail to personal mailboxes of Gmail, Yahoo and Microsoft today, per sending domain: who comes
 * near 5,000 a day is a bulk sender to them. */
#include <stdlib.h>

#include "policy/personal_report.h"
#include "webui/routes.h"

enum { MOST_LISTED = 1000 };

struct personal_call {
    struct personal_report_request request;
    struct exchange *exchange;
};

static json_t *count_json(const struct personal_count *count)
{
    return json_pack("{s:o, s:s, s:I, s:i, s:i, s:o}", "domain",
                     json_slice(slice_of(count->domain)), "provider",
                     personal_provider_name(count->provider), "count", (json_int_t)count->n, "of",
                     (int)PERSONAL_BULK, "percent", (int)((uint64_t)count->n * 100 / PERSONAL_BULK),
                     "until", json_time(count->day.ends_utc_ms));
}

static void answer(struct personal_report_request *request)
{
    struct personal_call *call = CONTAINER_OF(request, struct personal_call, request);
    json_t *items = json_array();

    for (uint32_t i = 0; i < request->n_counts; i++)
        json_array_append_new(items, count_json(&request->counts[i]));
    free(request->counts);
    exchange_answer_items(call->exchange, items, NULL);
}

void api_stats_personal(struct exchange *exchange)
{
    struct personal_call *call = exchange_memory(exchange, sizeof(*call));

    if (!call)
        return;
    call->exchange = exchange;
    call->request = (struct personal_report_request){
        .answer_to = exchange->webui->mailbox, .done = answer, .most = MOST_LISTED};
    if (!exchange->webui->parts.policy ||
        !personal_report_ask(exchange->webui->parts.policy, &call->request))
        exchange_busy(exchange);
}
