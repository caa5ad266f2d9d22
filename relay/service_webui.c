/* What the API sees of the service: the functions behind its orders, and how all stands. */
#include <stdio.h>
#include <string.h>

#include "relay/control/panel_address.h"
#include "relay/service_parts.h"
#include "signer/client.h"

static bool command(void *owner, struct delivery_command *request)
{
    return delivery_command(owner, request);
}

static bool sending(void *owner, struct delivery_sending *request)
{
    return delivery_sending(owner, request);
}

static bool destinations(void *owner, struct delivery_destinations *request)
{
    return delivery_destinations(owner, request);
}

static bool domains(void *owner, struct delivery_domains *request)
{
    return delivery_domains(owner, request);
}

static bool lift(void *owner, struct delivery_lift *request)
{
    return delivery_lift(owner, request);
}

static bool why(void *owner, struct delivery_why *request)
{
    return delivery_why(owner, request);
}

static bool path(void *owner, struct delivery_path *request)
{
    return delivery_path(owner, request);
}

static void add_note(struct service_status *status, const char *sentence)
{
    size_t n = 0;

    while (status->notes[n])
        n++;
    if (sentence && n + 1 < sizeof(status->notes) / sizeof(status->notes[0]))
        status->notes[n] = sentence;
}

/* Any thread: what it reads is atomic, or was set before the API began. */
static void status(void *owner, struct service_status *out)
{
    struct service *service = owner;

    unsigned n_doors = intake_n_accepting(service->intake);

    *out = (struct service_status){
        .is_ready = atomic_load(&service->is_ready) && !atomic_load(&service->is_draining) &&
                    n_doors >= atomic_load(&service->n_doors_wanted),
        .is_draining = atomic_load(&service->is_draining),
        .signer_is_up = key_desk_is_up(service->key_desk),
        .queue_is_healthy = spool_is_healthy(service->spool),
        .queue_is_full = spool_is_full(service->spool),
        .n_doors = n_doors,
        .started_utc_ms = service->started_utc_ms,
    };
    memcpy(out->notes, service->notes, sizeof(out->notes));
    add_note(out, delivery_egress_note(service->delivery));
    if (atomic_load(&service->is_book_refused))
        add_note(out,
                 "a file that policy {} names is not in order (config check says why): what is "
                 "built in is used instead");
}

static int listener_named(const struct service *service, const char *name)
{
    for (size_t i = 0; i < service->bundle.n_listeners; i++)
        if (strcmp(service->bundle.listeners[i].name, name) == 0)
            return service->bundle.listeners[i].fd;
    return -1;
}

/* The first certificate is the panel's too.  Without one: plain HTTP, which only a loopback address
 * may have (config_check.c). */
static void add_identity(const struct service *service, struct slice *certificate,
                         struct slice *key)
{
    const struct bundle *bundle = &service->bundle;

    *certificate = *key = (struct slice){NULL, 0};
    if (!panel_has_tls(&bundle->settings->panel))
        return;
    *certificate = slice_of(service->self_signed.certificate);
    *key = slice_of(service->self_signed.key);
    for (size_t i = bundle->n_identities; i > 0; i--) {
        const struct bundle_identity *identity = &bundle->identities[i - 1];

        if (i > 1 && strcmp(identity->name, "default") != 0)
            continue;
        *certificate = identity->certificate_pem;
        *key = identity->key_pem;
        return;
    }
}

static struct webui_certificate first_to_end(const struct service *service)
{
    const struct bundle *bundle = &service->bundle;
    struct webui_certificate first = {.is_self_signed = bundle->n_identities == 0};

    if (first.is_self_signed) {
        (void)snprintf(first.name, sizeof(first.name), "default");
        if (service->self_signed.certificate)
            (void)!tls_certificate_expiry(slice_of(service->self_signed.certificate),
                                          &first.ends_utc_ms);
    }
    for (size_t i = 0; i < bundle->n_identities; i++) {
        const struct bundle_identity *identity = &bundle->identities[i];
        int64_t ends_utc_ms;

        if (tls_certificate_expiry(identity->certificate_pem, &ends_utc_ms) < 0 ||
            (first.ends_utc_ms && ends_utc_ms >= first.ends_utc_ms))
            continue;
        first.ends_utc_ms = ends_utc_ms;
        (void)snprintf(first.name, sizeof(first.name), "%s", identity->name);
    }
    return first;
}

/* Those of the settings' sections; the last slot stays empty. */
static void add_doors(const struct service *service, struct webui_parts *parts)
{
    const struct bundle *bundle = &service->bundle;
    size_t n = 0;

    for (size_t i = 0; i < bundle->n_listeners && n + 1 < WEBUI_MOST_DOORS; i++) {
        const struct bundle_listener *listener = &bundle->listeners[i];
        struct socket_address address;

        if (strcmp(listener->name, BUNDLE_CONTROL) == 0 ||
            strcmp(listener->name, BUNDLE_PANEL) == 0 ||
            !socket_address_parse(slice_of(listener->address), -1, &address))
            continue;
        (void)snprintf(parts->doors[n].listener, sizeof(parts->doors[n].listener), "%s",
                       listener->name);
        parts->doors[n++].port = socket_address_port(&address);
    }
}

int service_start_webui(struct service *service)
{
    char folder[4096];
    struct webui_parts parts = {
        .control_fd = listener_named(service, BUNDLE_CONTROL),
        .panel_fd = listener_named(service, BUNDLE_PANEL),
        .registry = service->registry,
        .policy = service->policy,
        .key_desk = service->key_desk,
        .spool = service->spool,
        .spool_dir = service->bundle.settings->spool_dir,
        .events = service->events,
        .history_dir = folder,
        .operations = &service->operations,
        .settings = service->bundle.settings,
        .certificate = first_to_end(service),
        .owner = service,
        .status = status,
    };

    add_identity(service, &parts.certificate_pem, &parts.key_pem);
    add_doors(service, &parts);
    snprintf(folder, sizeof(folder), "%s/history", service->bundle.settings->data_dir);
    service->operations = (struct operations){service->delivery, command, sending, destinations,
                                              domains,           lift,    why,     path};
    return webui_start(service->webui, &parts);
}

void service_apply_webui(struct service *service)
{
    struct webui_parts parts = {
        .settings = service->bundle.settings,
        .certificate = first_to_end(service),
    };

    add_identity(service, &parts.certificate_pem, &parts.key_pem);
    add_doors(service, &parts);
    webui_apply(service->webui, &parts);
}

void service_stop_webui(struct service *service)
{
    webui_stop(service->webui);
}
