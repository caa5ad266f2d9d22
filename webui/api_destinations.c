/* Where mail goes, and how it fares there. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/asking.h"
#include "webui/guard.h"
#include "webui/routes.h"

enum { USUAL = 1000, MOST = 10000 };

struct listing {
    struct delivery_destinations request;
    struct past_wait past;
    struct exchange *exchange;
};

/* ---- one of them ---- */

static const struct {
    const char *name;
    size_t offset; /* in struct site_limits */
    double a_minute;
} limit_names[] = {
    {"connections",         offsetof(struct site_limits, connections),         0         },
    {"messages_per_second", offsetof(struct site_limits, messages_per_second), 60        },
    {"messages_per_minute", offsetof(struct site_limits, messages_per_minute), 1         },
    {"messages_per_hour",   offsetof(struct site_limits, messages_per_hour),   1.0 / 60  },
    {"messages_per_day",    offsetof(struct site_limits, messages_per_day),    1.0 / 1440},
};

/* What each of them allows, and the strictest pace in messages a minute. */
static void add_limits(json_t *item, const struct site_limits *limits)
{
    json_t *all = json_object();
    double strictest = 0;

    for (size_t i = 0; i < sizeof(limit_names) / sizeof(limit_names[0]); i++) {
        uint32_t figure;
        double a_minute;

        memcpy(&figure, (const char *)limits + limit_names[i].offset, sizeof(figure));
        if (!figure)
            continue;
        json_object_set_new(all, limit_names[i].name, json_integer(figure));
        a_minute = figure * limit_names[i].a_minute;
        if (a_minute > 0 && (strictest == 0 || a_minute < strictest))
            strictest = a_minute;
    }
    json_object_set_new(item, "limits", all);
    json_object_set_new(item, "limit", strictest > 0 ? json_real(strictest) : json_null());
}

/* What receivers say is history, addresses and all: a token for destinations sees the code. */
static json_t *last_reply_json(const struct last_reply *last, bool has_words)
{
    static const char *const names[] = {
        [SAID_DELIVERED] = "delivered", [SAID_DEFERRED] = "deferred", [SAID_BOUNCED] = "bounced"};

    if (last->said == SAID_NOTHING)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:s}", "at", json_time(last->at_utc_ms), "code",
                     last->code ? json_integer(last->code) : json_null(), "text",
                     has_words ? json_slice(slice_of(last->text)) : json_null(), "state",
                     names[last->said]);
}

static json_t *past_json(const struct webui *webui, enum past_span span, struct slice name)
{
    const struct past_sums *sums = past_find(&webui->past, COUNTER_SITE, span, name);
    int64_t n = sums ? sums->delivered + sums->deferred + sums->bounced : 0;

    if (!sums)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:o}", "delivered", (json_int_t)sums->delivered, "deferred",
                     (json_int_t)sums->deferred, "bounced", (json_int_t)sums->bounced, "percent",
                     n ? json_real(100.0 * (double)sums->delivered / (double)n) : json_null());
}

static json_t *or_null(int64_t utc_ms)
{
    return utc_ms < 0 ? json_null() : json_time(utc_ms);
}

static void add_figures(json_t *item, const struct webui *webui,
                        const struct destination_view *view, bool has_words)
{
    json_object_set_new(item, "rate", json_integer(view->per_minute));
    json_object_set_new(item, "oldest_seconds",
                        view->oldest_utc_ms
                            ? json_integer((clock_utc_ms() - view->oldest_utc_ms) / 1000)
                            : json_null());
    add_limits(item, &view->limits);
    json_object_set_new(item, "hour", past_json(webui, PAST_HOUR, slice_of(view->name)));
    json_object_set_new(item, "day", past_json(webui, PAST_DAY, slice_of(view->name)));
    json_object_set_new(item, "last_reply", last_reply_json(&view->last, has_words));
    json_object_set_new(item, "drain_forecast", or_null(view->last_utc_ms));
}

static json_t *view_json(const struct exchange *exchange, const struct destination_view *view)
{
    json_t *item = json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:o, s:o}", "name",
        json_slice(slice_of(view->name)), "provider",
        *view->provider ? json_slice(slice_of(view->provider)) : json_null(), "domains",
        json_split(slice_of(view->domains), ','), "n_domains", (json_int_t)view->n_domains, "ready",
        (json_int_t)view->n_ready, "waiting", (json_int_t)view->n_waiting, "sending",
        (json_int_t)view->n_sending, "held", (json_int_t)view->n_held, "connections",
        (int)view->n_connections, "busy", (int)view->n_busy, "state", why_name(view->state),
        "until", or_null(view->until_utc_ms), "reason", json_slice(slice_of(view->reason)));

    add_figures(item, exchange->webui, view,
                guard_is_for(exchange, FOR_VIEWER, SLICE_LITERAL("history:read")));
    return item;
}

/* ---- all of them ---- */

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

static void add_suspension(json_t *items, const struct exchange *exchange,
                           const struct order *order)
{
    struct destination_view view = {.state = WHY_SUSPENDED, .until_utc_ms = -1, .last_utc_ms = -1};

    if (order->until_utc_ms)
        view.until_utc_ms = order->until_utc_ms;
    slice_copy_to(order->name, view.name, sizeof(view.name));
    slice_copy_to(order->reason, view.reason, sizeof(view.reason));
    json_array_append_new(items, view_json(exchange, &view));
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
        add_suspension(items, exchange, order);
    }
}

static uint64_t n_waiting(const struct destination_view *view)
{
    return (uint64_t)view->n_ready + view->n_waiting + view->n_sending + view->n_held;
}

static int compare_views(const void *a, const void *b)
{
    uint64_t left = n_waiting(a), right = n_waiting(b);

    return left != right ? (left < right ? 1 : -1)
                         : strcmp(((const struct destination_view *)a)->name,
                                  ((const struct destination_view *)b)->name);
}

static void answer(struct listing *listing)
{
    struct delivery_destinations *request = &listing->request;
    struct exchange *exchange = listing->exchange;
    struct destination_view *views = (struct destination_view *)(void *)request->views.data;
    size_t n = request->views.len / sizeof(*views);
    json_t *items = json_array();

    if (n)
        qsort(views, n, sizeof(*views), compare_views);
    for (size_t i = 0; i < n && i < request->most; i++)
        json_array_append_new(items, view_json(exchange, &views[i]));
    add_suspensions(items, exchange, request);
    buffer_fini(&request->views);
    exchange_answer(exchange, 200,
                    json_pack("{s:o, s:n, s:I}", "items", items, "next_cursor", "total",
                              (json_int_t)request->n_found));
}

static void on_past(struct past_wait *wait)
{
    answer(CONTAINER_OF(wait, struct listing, past));
}

static void on_listed(struct delivery_destinations *request)
{
    struct listing *listing = CONTAINER_OF(request, struct listing, request);

    listing->past.done = on_past;
    past_await(&listing->exchange->webui->past, &listing->past);
}

/* Those with the most mail; of 200,000 destinations nobody reads all. */
void api_destinations_list(struct exchange *exchange)
{
    const struct operations *operations = exchange->webui->parts.operations;
    struct listing *listing = exchange_memory(exchange, sizeof(*listing));

    if (!listing || !asking_limit(exchange, USUAL, MOST, &listing->request.most))
        return;
    pulse_want(&exchange->webui->pulse); /* which knows the oldest */
    listing->exchange = exchange;
    listing->request.name = slice_of(exchange_query(exchange, "name"));
    listing->request.answer_to = exchange->webui->mailbox;
    listing->request.done = on_listed;
    if (!operations->destinations(operations->owner, &listing->request))
        exchange_busy(exchange);
}
