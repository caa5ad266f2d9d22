/* Where mail goes, and how it fares there. */
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/routes.h"

struct listing {
    struct delivery_destinations request;
    struct exchange *exchange;
};

static json_t *view_json(const struct destination_view *view)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:o, s:o}", "name",
                     json_slice(slice_of(view->name)), "ready", (json_int_t)view->n_ready,
                     "waiting", (json_int_t)view->n_waiting, "sending", (json_int_t)view->n_sending,
                     "held", (json_int_t)view->n_held, "connections", (int)view->n_connections,
                     "busy", (int)view->n_busy, "state", why_name(view->state), "until",
                     view->until_utc_ms < 0 ? json_null() : json_time(view->until_utc_ms), "reason",
                     json_slice(slice_of(view->reason)));
}

static bool is_shown(const struct delivery_destinations *request, struct slice name)
{
    const struct destination_view *views =
        (const struct destination_view *)(const void *)request->views.data;
    size_t n = request->views.len / sizeof(*views);

    for (size_t i = 0; i < n; i++)
        if (slice_equal_ignoring_case(slice_of(views[i].name), name))
            return true;
    return false;
}

static void add_suspension(json_t *items, const struct order *order)
{
    struct destination_view view = {.state = WHY_SUSPENDED, .until_utc_ms = -1};

    if (order->until_utc_ms)
        view.until_utc_ms = order->until_utc_ms;
    slice_copy_to(order->name, view.name, sizeof(view.name));
    slice_copy_to(order->reason, view.reason, sizeof(view.reason));
    json_array_append_new(items, view_json(&view));
}

/* What is suspended shows even while no mail waits for it. */
static void add_suspensions(json_t *items, const struct exchange *exchange,
                            const struct delivery_destinations *request)
{
    const struct directory *directory = exchange->webui->directory;

    for (uint32_t i = 0; directory && i < directory->n_orders; i++) {
        const struct order *order = &directory->orders[i];

        if (order->scope != ORDER_OF_DESTINATION || order->action != ORDER_SUSPEND ||
            !order_is_in_force(order, clock_utc_ms()) || is_shown(request, order->name) ||
            (request->name.len && !slice_equal_ignoring_case(request->name, order->name)))
            continue;
        add_suspension(items, order);
    }
}

static void on_listed(struct delivery_destinations *request)
{
    struct exchange *exchange = CONTAINER_OF(request, struct listing, request)->exchange;
    const struct destination_view *views =
        (const struct destination_view *)(const void *)request->views.data;
    size_t n = request->views.len / sizeof(*views);
    json_t *items = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, view_json(&views[i]));
    add_suspensions(items, exchange, request);
    buffer_fini(&request->views);
    exchange_answer_items(exchange, items, NULL);
}

void api_destinations_list(struct exchange *exchange)
{
    const struct operations *operations = exchange->webui->parts.operations;
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing)
        return;
    listing->exchange = exchange;
    listing->request.name = slice_of(exchange_query(exchange, "name"));
    listing->request.answer_to = exchange->webui->mailbox;
    listing->request.done = on_listed;
    if (!operations->destinations(operations->owner, &listing->request))
        exchange_busy(exchange);
}
