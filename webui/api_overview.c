/* How it goes, at one glance; the same is told by the stream. */
#include <string.h>
#include <sys/statvfs.h>

#include "relay/base/clock.h"
#include "webui/overview_json.h"
#include "webui/routes.h"

static struct service_status status_of(const struct webui *webui)
{
    struct service_status status = {0};

    webui->parts.status(webui->parts.owner, &status);
    return status;
}

/* ---- what needs somebody ---- */

static void add_cause(json_t *causes, const char *code, json_t *params, const char *link)
{
    json_array_append_new(
        causes, json_pack("{s:s, s:o, s:s}", "code", code, "params", params, "link", link));
}

static void add_service_causes(json_t *causes, const struct service_status *status)
{
    if (!status->is_ready)
        add_cause(causes, status->is_draining ? "draining" : "starting", json_object(), "/about");
    if (!status->queue_is_healthy)
        add_cause(causes, "queue_unhealthy", json_object(), "/about");
    if (status->queue_is_full)
        add_cause(causes, "disk_full", json_object(), "/about");
    if (!status->signer_is_up)
        add_cause(causes, "signer_down", json_object(), "/domains");
}

static void add_directory_causes(json_t *causes, const struct directory *directory)
{
    int64_t now_ms = clock_utc_ms();

    for (uint32_t i = 0; directory && i < directory->n_users; i++) {
        const struct user *user = &directory->users[i];

        if (user->braked_utc_ms)
            add_cause(causes, "user_braked",
                      json_pack("{s:o, s:o}", "user", json_slice(user->name), "reason",
                                json_slice(user->braked_reason)),
                      "/users");
    }
    for (uint32_t i = 0; directory && i < directory->n_orders; i++) {
        const struct order *order = &directory->orders[i];

        if (order->scope == ORDER_OF_DESTINATION && order->action == ORDER_SUSPEND &&
            order_is_in_force(order, now_ms))
            add_cause(causes, "destination_suspended",
                      json_pack("{s:o}", "name", json_slice(order->name)), "/destinations");
    }
}

enum { DAY_S = 86400, WARNING_DAYS = 14 };

/* Whole days; 0 on its last one and behind it. */
static int64_t days_left(const struct webui_certificate *certificate)
{
    int64_t left_s = (certificate->ends_utc_ms - clock_utc_ms()) / 1000;

    return left_s > 0 ? left_s / DAY_S : 0;
}

static void add_certificate_cause(json_t *causes, const struct webui_certificate *certificate)
{
    if (certificate->ends_utc_ms && days_left(certificate) < WARNING_DAYS)
        add_cause(causes, "certificate_expiring",
                  json_pack("{s:s, s:I}", "name", certificate->name, "days",
                            (json_int_t)days_left(certificate)),
                  "/settings");
}

static json_t *certificate_json(const struct webui *webui)
{
    const struct webui_certificate *certificate = &webui->parts.certificate;
    const char *state = "ok";

    if (!certificate->ends_utc_ms)
        return json_null();
    if (certificate->ends_utc_ms <= clock_utc_ms())
        state = "expired";
    else if (certificate->is_self_signed)
        state = "self_signed";
    else if (days_left(certificate) < WARNING_DAYS)
        state = "expiring";
    return json_pack("{s:s, s:o, s:I, s:s}", "name", certificate->name, "expires",
                     json_time(certificate->ends_utc_ms), "days_left",
                     (json_int_t)days_left(certificate), "state", state);
}

static json_t *causes_json(const struct webui *webui)
{
    struct service_status status = status_of(webui);
    json_t *causes = json_array();

    add_service_causes(causes, &status);
    add_directory_causes(causes, webui->directory);
    add_certificate_cause(causes, &webui->parts.certificate);
    if (webui->pulse.view.n_by_state[ENTRY_HELD])
        add_cause(causes, "mail_held", json_object(), "/queue?filter=state:held");
    return causes;
}

/* ---- numbers ---- */

static const struct {
    const char *name;
    enum counter_column column;
} days[] = {
    {"accepted",  COUNTER_ACCEPTED },
    {"delivered", COUNTER_DELIVERED},
    {"deferred",  COUNTER_DEFERRED },
    {"bounced",   COUNTER_BOUNCED  },
};

static uint64_t n_waiting(const struct pulse_view *view)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < N_ENTRY_STATES; i++)
        if (i != ENTRY_HELD)
            n += view->n_by_state[i];
    return n;
}

json_t *overview_queue_json(const struct webui *webui)
{
    const struct pulse_view *view = &webui->pulse.view;
    json_t *states = json_object();

    for (unsigned i = ENTRY_FREE + 1; i < N_ENTRY_STATES; i++) {
        const char *name = entry_state_name((enum entry_state)i);
        json_int_t before = json_integer_value(json_object_get(states, name));

        json_object_set_new(states, name, json_integer(before + (json_int_t)view->n_by_state[i]));
    }
    return json_pack("{s:I, s:I, s:o, s:o}", "queued", (json_int_t)n_waiting(view), "held",
                     (json_int_t)view->n_by_state[ENTRY_HELD], "oldest_seconds",
                     view->oldest_utc_ms
                         ? json_integer((json_int_t)(clock_utc_ms() - view->oldest_utc_ms) / 1000)
                         : json_null(),
                     "by_state", states);
}

static json_t *tiles_json(const struct webui *webui)
{
    const struct pulse_view *view = &webui->pulse.view;
    json_t *tiles = overview_queue_json(webui);
    char name[32];

    json_object_del(tiles, "by_state");
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        json_int_t sum = 0;

        for (unsigned hour = 0; hour < PULSE_HOURS; hour++)
            sum += (json_int_t)view->hours[hour][days[i].column];
        snprintf(name, sizeof(name), "%s_24h", days[i].name);
        json_object_set_new(tiles, name, view->has_history ? json_integer(sum) : json_null());
    }
    json_object_set_new(tiles, "rate_now",
                        view->has_history ? json_real((double)view->n_lately / 5) : json_null());
    return tiles;
}

static json_t *depth_json(const struct pulse_view *view)
{
    json_t *spark = json_array();

    for (unsigned hour = 0; hour < PULSE_HOURS; hour++) {
        int64_t n = view->hours[hour][COUNTER_DEPTH_N];

        json_array_append_new(
            spark,
            n ? json_integer((json_int_t)(view->hours[hour][COUNTER_DEPTH_SUM] / n)) : json_null());
    }
    return spark;
}

static json_t *spark_json(const struct pulse_view *view)
{
    json_t *sparks = json_object();

    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        json_t *spark = json_array();

        for (unsigned hour = 0; hour < PULSE_HOURS; hour++)
            json_array_append_new(spark,
                                  json_integer((json_int_t)view->hours[hour][days[i].column]));
        json_object_set_new(sparks, days[i].name, spark);
    }
    json_object_set_new(sparks, "queued", depth_json(view));
    return sparks;
}

static json_t *names_json(const struct pulse_name *names, unsigned n, const char *what,
                          bool has_rate)
{
    json_t *items = json_array();

    for (unsigned i = 0; i < n && names[i].n; i++) {
        json_t *item = json_pack("{s:o, s:I}", "name", json_slice(slice_of(names[i].name)), what,
                                 (json_int_t)names[i].n);

        if (has_rate)
            json_object_set_new(item, "rate", json_integer((json_int_t)names[i].per_minute));
        json_array_append_new(items, item);
    }
    return items;
}

static json_t *disk_json(const struct webui *webui)
{
    struct statvfs space;

    if (statvfs(webui->parts.spool_dir, &space) < 0)
        return json_null();
    return json_pack("{s:I, s:I}", "free", (json_int_t)space.f_bavail * (json_int_t)space.f_frsize,
                     "total", (json_int_t)space.f_blocks * (json_int_t)space.f_frsize);
}

json_t *overview_json(const struct webui *webui)
{
    const struct pulse_view *view = &webui->pulse.view;
    json_t *causes = causes_json(webui);

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "state",
                     json_array_size(causes) ? "attention" : "ok", "causes", causes, "tiles",
                     tiles_json(webui), "spark", spark_json(view), "top_destinations",
                     names_json(view->domains, PULSE_DOMAINS, "queued", true), "top_users",
                     names_json(view->users, PULSE_USERS, "accepted", false), "certificate",
                     certificate_json(webui), "disk", disk_json(webui), "version",
                     STAFFETTA_VERSION);
}

/* ---- asked for ---- */

struct overview {
    struct pulse_wait wait;
    struct exchange *exchange;
};

static void on_seen(struct pulse_wait *wait)
{
    struct exchange *exchange = CONTAINER_OF(wait, struct overview, wait)->exchange;

    exchange_answer(exchange, 200, overview_json(exchange->webui));
}

void api_overview(struct exchange *exchange)
{
    struct overview *overview = exchange_memory(exchange, sizeof(*overview));

    if (!overview)
        return;
    overview->exchange = exchange;
    overview->wait.done = on_seen;
    pulse_await(&exchange->webui->pulse, &overview->wait);
}
