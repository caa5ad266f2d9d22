/* Operators' orders: suspend, slow down, reroute, and their end.  They are kept in the registry
 * first, so that they survive a restart; the snapshot tells delivery. */
#include <stdio.h>
#include <string.h>

#include "policy/registry_orders.h"
#include "relay/base/clock.h"
#include "relay/control/connect_ports.h"
#include "relay/control/forms.h"
#include "webui/order_ways.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

enum { MOST_SPAN_S = 315360000 /* ten years */ };

static const struct {
    const char *name;
    size_t offset; /* in struct order_limits */
} limits[] = {
    {"connections",         offsetof(struct order_limits, connections)        },
    {"messages_per_second", offsetof(struct order_limits, messages_per_second)},
    {"messages_per_minute", offsetof(struct order_limits, messages_per_minute)},
    {"messages_per_hour",   offsetof(struct order_limits, messages_per_hour)  },
    {"messages_per_day",    offsetof(struct order_limits, messages_per_day)   },
};
enum { N_LIMITS = sizeof(limits) / sizeof(limits[0]) };

/* ---- which stand ---- */

static json_t *limits_json(const struct order_limits *figures)
{
    json_t *out = json_object();

    for (size_t i = 0; i < N_LIMITS; i++) {
        uint32_t figure;

        memcpy(&figure, (const char *)figures + limits[i].offset, sizeof(figure));
        if (figure)
            json_object_set_new(out, limits[i].name, json_integer(figure));
    }
    return out;
}

static json_t *or_null(struct slice text)
{
    return text.len ? json_slice(text) : json_null();
}

static json_t *order_json(const struct order *order)
{
    char subject[ORDER_SUBJECT_SIZE];

    order_subject_print(order->scope, order->name, subject);
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     json_slice(slice_of(subject)), "scope", order_scope_name(order->scope),
                     "order", order_action_name(order->action), "limits",
                     order->action == ORDER_THROTTLE ? limits_json(&order->limits) : json_null(),
                     "via", or_null(order->via), "reason", json_slice(order->reason), "by",
                     json_slice(order->by), "since", json_time(order->since_utc_ms), "until",
                     json_time(order->until_utc_ms));
}

void api_orders_list(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    int64_t now_utc_ms = clock_utc_ms();
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_orders; i++)
        if (order_is_in_force(&directory->orders[i], now_utc_ms))
            json_array_append_new(items, order_json(&directory->orders[i]));
    exchange_answer_items(exchange, items, NULL);
}

/* All that stand of one subject; NULL: none. */
json_t *audit_orders(struct exchange *exchange, struct slice name)
{
    const struct directory *directory = exchange->webui->directory;
    struct slice wanted;
    enum order_scope scope = order_subject_parse(name, &wanted);
    json_t *items = json_array();

    for (uint32_t i = 0; directory && i < directory->n_orders; i++) {
        const struct order *order = &directory->orders[i];

        if (order->scope == scope && slice_equal_ignoring_case(order->name, wanted) &&
            order_is_in_force(order, clock_utc_ms()))
            json_array_append_new(items, order_json(order));
    }
    if (json_array_size(items))
        return json_pack("{s:o}", "orders", items);
    json_decref(items);
    return NULL;
}

/* ---- one more ---- */

static void on_ordered(struct registry_request *request)
{
    struct order_request *done = (struct order_request *)(void *)request;

    if (!registry_call_went_well(request))
        return;
    done->order.by = request->by;
    done->order.since_utc_ms = clock_utc_ms();
    exchange_answer(registry_call_exchange(request), 200, order_json(&done->order));
}

static bool refuse(struct exchange *exchange, const char *code, const char *detail)
{
    exchange_problem(exchange, 422, code, detail);
    return false;
}

/* Without for_seconds it stands until it is ended. */
static bool read_end(struct exchange *exchange, struct order *order)
{
    json_t *value = json_object_get(exchange->body, "for_seconds");
    json_int_t seconds = json_integer_value(value);

    if (!value)
        return true;
    if (seconds <= 0 || seconds > MOST_SPAN_S)
        return refuse(exchange, "bad_span", "for_seconds is from 1 to 315360000.");
    order->until_utc_ms = clock_utc_ms() + seconds * 1000;
    return true;
}

static bool read_limits(struct exchange *exchange, struct order *order)
{
    for (size_t i = 0; i < N_LIMITS; i++) {
        json_t *value = json_object_get(exchange->body, limits[i].name);
        json_int_t figure = json_integer_value(value);
        uint32_t kept = (uint32_t)figure;

        if (value && (figure < 1 || figure > 1000000000))
            return refuse(exchange, "bad_limit", "A limit is from 1 to 1000000000.");
        if (value)
            memcpy((char *)&order->limits + limits[i].offset, &kept, sizeof(kept));
    }
    return true;
}

static bool is_pool(const struct settings *settings, struct slice name)
{
    for (size_t i = 0; i < settings->n_pool; i++)
        if (slice_equal(slice_of(settings->pool[i].title), name))
            return true;
    return false;
}

/* A way that the sandbox lets us go, or a pool that there is. */
static bool read_way(struct exchange *exchange, struct order *order)
{
    static const struct slice pool = {"pool:", 5};
    const char *via = exchange_text(exchange, "via");
    CLEANUP(buffer) struct buffer ignored = BUFFER_INIT;

    order->via = slice_of(via);
    if (slice_starts_with(order->via, pool))
        return is_pool(exchange->webui->settings, slice_skip(order->via, pool.len)) ||
               refuse(exchange, "bad_via", "There is no pool of addresses of that name.");
    if (via && !form_check("next hop", via, &ignored))
        return refuse(exchange, "bad_via", "via is ADDRESS or HOST, with or without :PORT.");
    if (via && !connect_ports_allow(exchange->webui->settings, via))
        return refuse(exchange, "bad_via", "The sandbox does not let us connect to that port.");
    return true;
}

/* Two addresses that lead to each other would leave none. */
static bool read_reroute(struct exchange *exchange, struct order *order)
{
    return read_way(exchange, order) &&
           (order_way_leaves_some(exchange->webui->settings, exchange->webui->directory, order,
                                  clock_utc_ms()) ||
            refuse(exchange, "nothing_left",
                   "The addresses of that pool are led away themselves: none would be left."));
}

static void give(struct exchange *exchange, enum order_action action,
                 bool (*read_rest)(struct exchange *exchange, struct order *order))
{
    const char *reason = exchange_expect_text(exchange, "reason");
    struct order_request *request =
        reason ? registry_call_memory(exchange, sizeof(*request)) : NULL;

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, on_ordered);
    request->order.action = action;
    request->order.scope = order_subject_parse(exchange->argument, &request->order.name);
    request->order.reason = slice_of(reason);
    if (!read_end(exchange, &request->order) ||
        (read_rest && !read_rest(exchange, &request->order)))
        return;
    if (!registry_order(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_destination_suspend(struct exchange *exchange)
{
    give(exchange, ORDER_SUSPEND, NULL);
}

void api_destination_throttle(struct exchange *exchange)
{
    give(exchange, ORDER_THROTTLE, read_limits);
}

void api_destination_reroute(struct exchange *exchange)
{
    give(exchange, ORDER_REROUTE, read_reroute);
}

/* ---- an end ---- */

struct resumption {
    struct delivery_lift lift;
    struct registry_request *ended;
};

/* No order stood: then it was what the receiver's replies had brought, or it is nothing we know. */
static void on_lifted(struct delivery_lift *lift)
{
    struct resumption *resumption = CONTAINER_OF(lift, struct resumption, lift);
    struct registry_request *ended = resumption->ended;

    if (ended->result == REGISTRY_NOT_FOUND && lift->n_sites > 0)
        exchange_answer(registry_call_exchange(ended), 204, NULL);
    else
        registry_call_done(ended);
}

/* "Go on" is said of a destination altogether: it is tried at its full pace, too. */
static void on_resumed(struct registry_request *request)
{
    const struct order_end_request *done = (const struct order_end_request *)(const void *)request;
    struct exchange *exchange = registry_call_exchange(request);
    const struct operations *operations = exchange->webui->parts.operations;
    bool is_lifted = (request->result == REGISTRY_OK || request->result == REGISTRY_NOT_FOUND) &&
                     done->scope == ORDER_OF_DESTINATION && !done->is_one;
    struct resumption *resumption =
        is_lifted ? exchange_memory(exchange, sizeof(*resumption)) : NULL;

    if (!is_lifted)
        registry_call_done(request);
    if (!resumption)
        return;
    resumption->ended = request;
    resumption->lift.name = done->name;
    resumption->lift.answer_to = exchange->webui->mailbox;
    resumption->lift.done = on_lifted;
    if (!operations->lift(operations->owner, &resumption->lift))
        exchange_busy(exchange);
}

static void end(struct exchange *exchange, const char *which,
                void (*done)(struct registry_request *request))
{
    struct order_end_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, done);
    request->scope = order_subject_parse(exchange->argument, &request->name);
    request->is_one = which != NULL;
    if (which && !order_action_parse(slice_of(which), &request->action)) {
        exchange_problem(exchange, 422, "bad_order", "order is suspend, throttle or reroute.");
        return;
    }
    if (!registry_order_end(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_destination_resume(struct exchange *exchange)
{
    end(exchange, exchange_text(exchange, "order"), on_resumed);
}

void api_order_delete(struct exchange *exchange)
{
    end(exchange, exchange_query(exchange, "order"), registry_call_done);
}
