/* Where mail goes, how it fares there, and orders to suspend. */
#include <string.h>

#include "policy/registry_destinations.h"
#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

enum { MOST_SUSPENDED_S = 315360000 /* ten years */ };

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

/* What is suspended shows even while no mail waits for it. */
static void add_suspensions(json_t *items, const struct exchange *exchange,
                            const struct delivery_destinations *request)
{
    const struct directory *directory = exchange->webui->directory;

    for (uint32_t i = 0; directory && i < directory->n_suspensions; i++) {
        const struct suspension *suspension = &directory->suspensions[i];
        struct destination_view view = {.state = WHY_SUSPENDED, .until_utc_ms = -1};

        if ((request->name.len &&
             !slice_equal_ignoring_case(request->name, suspension->destination)) ||
            (suspension->until_utc_ms && suspension->until_utc_ms <= clock_utc_ms()) ||
            is_shown(request, suspension->destination))
            continue;
        if (suspension->until_utc_ms)
            view.until_utc_ms = suspension->until_utc_ms;
        slice_copy_to(suspension->destination, view.name, sizeof(view.name));
        slice_copy_to(suspension->reason, view.reason, sizeof(view.reason));
        json_array_append_new(items, view_json(&view));
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

/* Kept in the registry first, so that it survives a restart; the snapshot tells delivery. */
static void on_suspended(struct registry_request *request)
{
    const struct suspension_request *suspension =
        (const struct suspension_request *)(const void *)request;

    if (!registry_call_went_well(request))
        return;
    exchange_answer(registry_call_exchange(request), 200,
                    json_pack("{s:o, s:o, s:o}", "name", json_slice(suspension->destination),
                              "reason", json_slice(suspension->reason), "until",
                              json_time(suspension->until_utc_ms)));
}

/* How long; 0 when not said.  False after answering. */
static bool read_span(struct exchange *exchange, json_int_t *seconds)
{
    json_t *value = json_object_get(exchange->body, "for_seconds");

    *seconds = json_integer_value(value);
    if (!value || (*seconds > 0 && *seconds <= MOST_SUSPENDED_S))
        return true;
    exchange_problem(exchange, 422, "bad_span", "for_seconds is from 1 to 315360000.");
    return false;
}

void api_destination_suspend(struct exchange *exchange)
{
    const char *reason = exchange_expect_text(exchange, "reason");
    json_int_t seconds;
    struct suspension_request *request = reason && read_span(exchange, &seconds)
                                             ? registry_call_memory(exchange, sizeof(*request))
                                             : NULL;

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, on_suspended);
    request->destination = exchange->argument;
    request->reason = slice_of(reason);
    request->until_utc_ms = seconds > 0 ? clock_utc_ms() + seconds * 1000 : 0;
    if (!registry_suspend(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}

void api_destination_resume(struct exchange *exchange)
{
    struct suspension_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, registry_call_done);
    request->destination = exchange->argument;
    if (!registry_resume(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}
