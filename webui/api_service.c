/* How the service stands, its version, and its settings. */
#include <string.h>

#include "relay/base/clock.h"
#include "webui/routes.h"
#include "webui/state.h"

static struct service_status status_of(const struct webui *webui)
{
    struct service_status status = {0};

    webui->parts.status(webui->parts.owner, &status);
    return status;
}

static json_t *notes_of(const struct service_status *status)
{
    json_t *notes = json_array();

    if (!status->queue_is_healthy)
        json_array_append_new(
            notes, json_string("the queue cannot be written: no mail is accepted until it can"));
    for (size_t i = 0; status->notes[i]; i++)
        json_array_append_new(notes, json_string(status->notes[i]));
    return notes;
}

/* Users whose mail the brake holds: somebody has to look at them. */
static void add_braked(const struct webui *webui, json_t *notes)
{
    const struct directory *directory = webui->directory;

    for (uint32_t i = 0; directory && i < directory->n_users; i++) {
        const struct user *user = &directory->users[i];
        CLEANUP(buffer) struct buffer note = BUFFER_INIT;

        if (!user->braked_utc_ms)
            continue;
        buffer_append_text(&note, "all mail of ");
        buffer_append(&note, user->name);
        buffer_append_text(&note, " is held: ");
        buffer_append(&note, user->braked_reason);
        json_array_append_new(notes, json_slice(buffer_slice(&note)));
    }
}

void api_health(struct exchange *exchange)
{
    struct service_status status = status_of(exchange->webui);
    bool is_good = status.is_ready && status.queue_is_healthy;
    json_t *body = json_pack("{s:s, s:b, s:b, s:b, s:b, s:i, s:o, s:o}", "status",
                             is_good              ? "ready"
                             : status.is_ready    ? "unhealthy"
                             : status.is_draining ? "draining"
                                                  : "starting",
                             "ready", status.is_ready, "signer", status.signer_is_up, "queue",
                             status.queue_is_healthy, "disk_full", status.queue_is_full,
                             "listeners", (int)status.n_doors, "started",
                             json_time(status.started_utc_ms), "notes", notes_of(&status));

    add_braked(exchange->webui, json_object_get(body, "notes"));
    exchange_answer(exchange, is_good ? 200 : 503, body);
}

void api_ready(struct exchange *exchange)
{
    struct service_status status = status_of(exchange->webui);
    bool is_live = strcmp(exchange->path, "/healthz") == 0;
    bool is_good = is_live || (status.is_ready && status.queue_is_healthy);

    exchange_answer(exchange, is_good ? 200 : 503, json_pack("{s:b}", "ok", is_good));
}

void api_version(struct exchange *exchange)
{
    exchange_answer(exchange, 200,
                    json_pack("{s:s, s:s}", "name", "staffetta", "version", STAFFETTA_VERSION));
}

static void append_setting(void *owner, const struct setting_view *view)
{
    json_t *item = json_pack(
        "{s:s?, s:s?, s:s, s:o, s:o, s:s, s:s, s:b, s:b, s:s}", "section", view->section, "title",
        view->title, "name", view->name, "value", json_slice(slice_of(view->value)), "default",
        json_slice(slice_of(view->default_value)), "type", view->type, "bounds", view->bounds,
        "changed", view->is_changed, "needs_restart", view->needs_restart, "help", view->help);

    json_array_append_new(owner, item);
}

void api_config(struct exchange *exchange)
{
    json_t *items = json_array();

    settings_walk(exchange->webui->settings, append_setting, items);
    state_tag_answer(exchange, items);
    exchange_answer_items(exchange, items, NULL);
}
