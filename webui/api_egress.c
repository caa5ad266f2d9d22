/* Our addresses to send from, each with every provider that it warms up for: the day of its curve,
 * what it may send today, what it did, and how much of that was put off for our sake. */
#include <stdlib.h>

#include "policy/warm_ups.h"
#include "relay/base/clock.h"
#include "relay/net/socket_address.h"
#include "webui/routes.h"

struct egress_call {
    struct warm_ups_list list;
    struct exchange *exchange;
};

/* Under which address the warm-ups of this section are kept: IPv4 before IPv6. */
static const char *print_address(const struct settings_egress *egress, char out[IP_TEXT_SIZE])
{
    struct ip_address address;

    out[0] = '\0';
    for (size_t i = 0; i < egress->address.n_items; i++)
        if (ip_parse(slice_of(egress->address.items[i]), &address) &&
            (!out[0] || address.family == AF_INET))
            ip_print(address, out);
    return out;
}

static const char *state_of(const struct warm_up_state *state, uint32_t limit, bool is_today)
{
    if (limit == 0)
        return "warm";
    if (is_today && state->n_used >= limit)
        return "used_up";
    return is_today && state->has_stepped_back ? "stepped_back" : "warming";
}

static json_t *share_of(const struct warm_up_state *state)
{
    uint64_t n_all = (uint64_t)state->n_well + state->n_put_off;

    return n_all ? json_real((double)state->n_put_off / (double)n_all) : json_null();
}

/* A day that is over says nothing of today; it is judged when the next message goes. */
static void add_warm_up(json_t *item, const struct warm_up_view *view,
                        const struct warm_up_curve *curve)
{
    const struct warm_up_state *state = &view->state;
    int64_t utc_ms = clock_utc_ms();
    bool is_today = state->today.starts_utc_ms <= utc_ms && utc_ms < state->today.ends_utc_ms;
    uint32_t limit = warm_up_limit(state, curve);

    json_object_set_new(item, "provider", json_string(view->provider));
    json_object_set_new(item, "state", json_string(state_of(state, limit, is_today)));
    json_object_set_new(item, "day", json_integer(state->day));
    json_object_set_new(item, "days", json_integer(curve->n_days));
    json_object_set_new(item, "limit", limit ? json_integer(limit) : json_null());
    json_object_set_new(item, "used", json_integer(is_today ? state->n_used : 0));
    json_object_set_new(item, "taken", json_integer(is_today ? state->n_well : 0));
    json_object_set_new(item, "put_off", json_integer(is_today ? state->n_put_off : 0));
    json_object_set_new(item, "deferral_share", is_today ? share_of(state) : json_null());
    json_object_set_new(item, "since", json_time(state->since_utc_ms));
    json_object_set_new(item, "until",
                        is_today ? json_time(state->today.ends_utc_ms) : json_null());
}

static json_t *item_of(const struct settings_egress *egress, const char *address)
{
    return json_pack("{s:s, s:s, s:s, s:I}", "egress", egress->title, "address", address,
                     "hostname", egress->hostname ? egress->hostname : "", "weight",
                     (json_int_t)egress->weight);
}

/* Without a curve it is warm, with one and no mail yet it is new. */
static void add_address(json_t *items, const struct settings_egress *egress,
                        const struct warm_ups_list *list)
{
    char address[IP_TEXT_SIZE];
    struct warm_up_curve curve;
    bool has_curve = warm_up_curve_parse(slice_of(egress->warm_up), &curve) && curve.n_days > 0;
    size_t n_before = json_array_size(items);

    print_address(egress, address);
    for (uint32_t i = 0; has_curve && i < list->n_views; i++)
        if (strcmp(list->views[i].address, address) == 0) {
            json_t *item = item_of(egress, address);

            add_warm_up(item, &list->views[i], &curve);
            json_array_append_new(items, item);
        }
    if (json_array_size(items) == n_before) {
        json_t *item = item_of(egress, address);

        json_object_set_new(item, "state", json_string(has_curve ? "new" : "warm"));
        json_array_append_new(items, item);
    }
}

static void answer(struct warm_ups_list *list)
{
    struct egress_call *call = CONTAINER_OF(list, struct egress_call, list);
    const struct settings *settings = call->exchange->webui->settings;
    json_t *items;

    if (!list->views) { /* no memory: "new" would be wrong */
        exchange_busy(call->exchange);
        return;
    }
    items = json_array();
    for (size_t i = 0; i < settings->n_egress; i++)
        add_address(items, &settings->egress[i], list);
    free(list->views);
    exchange_answer_items(call->exchange, items, NULL);
}

void api_egress(struct exchange *exchange)
{
    struct egress_call *call = exchange_memory(exchange, sizeof(*call));

    if (!call)
        return;
    call->exchange = exchange;
    call->list = (struct warm_ups_list){.answer_to = exchange->webui->mailbox, .done = answer};
    if (!exchange->webui->parts.policy ||
        !warm_ups_ask_list(exchange->webui->parts.policy, &call->list))
        exchange_busy(exchange);
}
