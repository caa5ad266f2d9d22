#include "relay/service.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "policy/registry.h"
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "relay/base/thread.h"
#include "relay/events/events.h"
#include "relay/folders.h"
#include "relay/net/private_memory.h"
#include "relay/net/system_calls.h"
#include "relay/service_confine.h"
#include "relay/service_parts.h"
#include "relay/service_settings.h"
#include "signer/client.h"
#include "signer/process.h"

/* Less than the parent waits; then a client or a receiver that hangs is left alone. */
enum { DRAIN_MS = 27000, RELOAD_WHY_SIZE = 512 };

/* ---- loops ---- */

static void *run_loop(void *argument)
{
    loop_run(argument);
    return NULL;
}

static int start_loops(struct service *service)
{
    for (; service->n_running < service->n_loops; service->n_running++) {
        char name[16];
        int error;

        snprintf(name, sizeof(name), "loop-%u", service->n_running);
        error = thread_start(&service->threads[service->n_running], name, run_loop,
                             service->loops[service->n_running]);
        if (error < 0)
            return error;
    }
    return 0;
}

static void stop_loops(struct service *service)
{
    for (unsigned i = 0; i < service->n_running; i++)
        loop_stop(service->loops[i]);
    for (unsigned i = 0; i < service->n_running; i++)
        pthread_join(service->threads[i], NULL);
    service->n_running = 0;
}

/* ---- orders of the parent ---- */

/* A fresh pair to the signer: one channel per loop, and one for the key desk. */
static void link_signer(struct service *service, struct channel_message *message)
{
    CLEANUP(close_fd) int link = channel_take_fd(message, 0);
    int fd;

    for (unsigned i = 0; i < service->n_loops; i++)
        if (signer_link_add_loop(link, &fd) == 0)
            delivery_signer_link(service->delivery, i, fd);
    if (signer_link_add_loop(link, &fd) == 0)
        key_desk_connect(service->key_desk, fd);
}

static bool has_listener(const struct bundle *bundle, const struct bundle_listener *wanted)
{
    for (size_t i = 0; i < bundle->n_listeners; i++)
        if (strcmp(bundle->listeners[i].name, wanted->name) == 0 &&
            strcmp(bundle->listeners[i].address, wanted->address) == 0)
            return true;
    return false;
}

/* Nothing is announced before every loop opened its doors.  One that could not be opened was told
 * by its loop, and health goes on telling it. */
static void await_intake(struct service *service)
{
    while (!service->is_intake_applied) {
        mailbox_wait(service->mailbox, -1);
        mailbox_run(service->mailbox);
    }
}

/* Says which of them accept from now on; is_told: those that were said before. */
static void tell_listeners(const struct bundle *bundle, const bool *is_told)
{
    for (size_t i = 0; i < bundle->n_listeners; i++)
        if (!is_told[i])
            EVENT(EVENT_LISTENING, field_text("name", bundle->listeners[i].name),
                  field_text("address", bundle->listeners[i].address));
}

static void tell_reloaded(const struct bundle *bundle, const bool *is_told)
{
    tell_listeners(bundle, is_told);
    EVENT(EVENT_RELOADED, field_number("listeners", (int64_t)bundle->n_listeners));
}

/* The first sentence of what is wrong, for the parent and the log. */
static int make_book(struct bundle *bundle, char why[RELOAD_WHY_SIZE])
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    int error = bundle_make_book(bundle, &problem);
    struct slice text = buffer_slice(&problem);
    ptrdiff_t end = slice_find(text, '\n');

    if (error < 0)
        slice_copy_to(slice_head(text, end < 0 ? text.len : (size_t)end), why, RELOAD_WHY_SIZE);
    return error;
}

static void reload(struct service *service, struct channel_message *message)
{
    char book_why[RELOAD_WHY_SIZE] = "";
    struct bundle fresh;
    int error = bundle_read(&fresh, message);
    bool is_told[CHANNEL_MAX_FDS] = {false};
    const char *why = "";

    for (size_t i = 0; error == 0 && i < fresh.n_listeners; i++)
        is_told[i] = has_listener(&service->bundle, &fresh.listeners[i]);
    if (error == 0 && !service_is_granted(service, fresh.settings, &why))
        error = -EPERM;
    if (error == 0) {
        why = book_why;
        error = make_book(&fresh, book_why);
    }
    if (error == 0)
        error = service_apply(service, &fresh, &why);
    if (error == 0) {
        atomic_store(&service->is_book_refused, false);
        await_intake(service);
        tell_reloaded(&service->bundle, is_told);
    } else {
        EVENT(EVENT_RELOAD_FAILED, field_text("reason", *why ? why : strerror(-error)));
        bundle_fini(&fresh);
    }
    if (channel_send(service->channel_fd, CHANNEL_RELOADED,
                     error < 0 ? slice_of(*why ? why : strerror(-error)) : slice_of(""), NULL,
                     0) < 0)
        log_debug("service", "the parent is gone");
}

/* Each of the two calls it once. */
static void drained(struct service *service)
{
    service->is_over = --service->n_draining == 0;
}

static void on_delivery_drained(struct delivery_drain *drain)
{
    drained(CONTAINER_OF(drain, struct service, delivery_drain));
}

static void on_intake_drained(struct intake_drain *drain)
{
    drained(CONTAINER_OF(drain, struct service, intake_drain));
}

static void drain(struct service *service)
{
    if (atomic_exchange(&service->is_draining, true))
        return;
    EVENT(EVENT_DRAINING, field_number("listeners", (int64_t)service->bundle.n_listeners));
    service->n_draining = 2;
    service->drain_deadline_ms = clock_monotonic_ms() + DRAIN_MS;
    service->intake_drain =
        (struct intake_drain){.answer_to = service->mailbox, .done = on_intake_drained};
    service->delivery_drain =
        (struct delivery_drain){.answer_to = service->mailbox, .done = on_delivery_drained};
    intake_drain(service->intake, &service->intake_drain);
    delivery_drain(service->delivery, &service->delivery_drain);
}

static void obey(struct service *service)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int n = channel_receive(service->channel_fd, &message);

    if (n <= 0) {
        service->is_over = n != -EAGAIN && n != -EBADMSG; /* without a parent nobody restarts us */
        return;
    }
    if (message.kind == CHANNEL_PEER)
        link_signer(service, &message);
    else if (message.kind == CHANNEL_RELOAD)
        reload(service, &message);
    else if (message.kind == CHANNEL_DRAIN)
        drain(service);
}

static bool is_out_of_time(const struct service *service)
{
    return service->drain_deadline_ms && clock_monotonic_ms() >= service->drain_deadline_ms;
}

/* -1: for ever. */
static int patience_ms(const struct service *service)
{
    int64_t now_ms = clock_monotonic_ms(), until_ms = signer_watch_due_ms(&service->signer_watch);

    if (service->drain_deadline_ms && service->drain_deadline_ms < until_ms)
        until_ms = service->drain_deadline_ms;
    if (until_ms == INT64_MAX)
        return -1;
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

static void wait_for_orders(struct service *service)
{
    struct pollfd fds[] = {
        {.fd = service->channel_fd,          .events = POLLIN},
        {.fd = mailbox_fd(service->mailbox), .events = POLLIN},
        {.fd = system_calls_refused_fd(),    .events = POLLIN},
    };

    while (!service->is_over) {
        if (poll(fds, 3, patience_ms(service)) < 0 && errno != EINTR)
            return;
        if (is_out_of_time(service))
            return; /* a receiver or a client that hangs: what it was told is told again later */
        if (fds[2].revents)
            system_calls_tell("relay");
        if (fds[0].revents)
            obey(service);
        mailbox_run(service->mailbox);
        signer_watch_turn(&service->signer_watch);
    }
}

/* ---- start and stop ---- */

/* A file that is not in order must not keep mail from leaving: what is built in holds until it is.
 */
static int begin_book(struct service *service)
{
    char why[RELOAD_WHY_SIZE] = "";
    int error = make_book(&service->bundle, why);

    if (error != -EINVAL)
        return error;
    EVENT(EVENT_RECEIVERS_REFUSED, field_text("reason", why));
    buffer_clear(&service->bundle.receivers);
    atomic_store(&service->is_book_refused, true);
    return make_book(&service->bundle, why);
}

static int begin(struct service *service)
{
    const char *why = "";
    int error;

    signer_watch_init(&service->signer_watch, service);
    error = begin_book(service);
    if (error == 0)
        error = service_start_parts(service);
    if (error == 0)
        error = start_loops(service);
    if (error == 0)
        error = service_apply(service, NULL, &why);
    if (error == 0)
        error = service_start_webui(service);
    if (error < 0) {
        EVENT(EVENT_START_FAILED, field_text("reason", *why ? why : strerror(-error)));
        return error;
    }
    await_intake(service);
    atomic_store(&service->is_ready, true);
    signer_watch_begin(&service->signer_watch);
    tell_listeners(&service->bundle, (const bool[CHANNEL_MAX_FDS]){false});
    EVENT(EVENT_READY, field_text("version", STAFFETTA_VERSION),
          field_number("loops", service->n_loops));
    return channel_send(service->channel_fd, CHANNEL_READY, slice_of(""), NULL, 0);
}

/* The first message, then who we are from here on. */
static int receive_start(int channel_fd, struct bundle *bundle)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    int n = channel_receive(channel_fd, &message);

    if (n <= 0 || message.kind != CHANNEL_START)
        return n < 0 ? n : -EPROTO;
    return bundle_read(bundle, &message);
}

static void take_time_zone(const struct settings *settings)
{
    if (*settings->timezone)
        setenv("TZ", settings->timezone, 1);
    tzset();
}

static int start_events(struct service *service)
{
    const struct settings *settings = service->bundle.settings;
    char folder[4096];
    struct history_settings history = {
        .dir = folder,
        .kept_days = settings->history.days,
        .max_bytes = settings->history.max_bytes,
        .min_free = service_min_free(settings),
    };

    snprintf(folder, sizeof(folder), "%s/history", settings->data_dir);
    return events_start(&service->events, &history);
}

static int run(struct service *service)
{
    int error = receive_start(service->channel_fd, &service->bundle);

    if (error < 0)
        return error;
    take_time_zone(service->bundle.settings);
    log_set(service->bundle.settings->log.format, service->bundle.settings->log.level);
    private_memory_start(PRIVATE_MEMORY_RELAY);
    error = secret_start();
    if (error == 0)
        error = service_confine(service);
    if (error < 0)
        return error;
    error = start_events(service);
    if (error == 0)
        error = begin(service);
    if (error == 0)
        wait_for_orders(service);
    atomic_store(&service->is_ready, false);
    service_stop_webui(service);
    stop_loops(service);
    service_stop_parts(service);
    EVENT(EVENT_STOPPED, field_text("process", "relay"));
    events_stop(service->events);
    bundle_fini(&service->bundle);
    return error;
}

int service_run(int channel_fd)
{
    struct service *service = calloc(1, sizeof(*service));
    int error;

    if (!service)
        return EX_OSERR;
    service->channel_fd = channel_fd;
    service->started_utc_ms = clock_utc_ms();
    error = run(service);
    free(service);
    return error < 0 ? EX_UNAVAILABLE : EX_OK;
}

int service_run_signer(int channel_fd)
{
    CLEANUP(bundle) struct bundle bundle = {0};
    char folder[4096];
    struct signer_settings settings = {.key_dir = folder, .user = SIGNER_USER};

    if (receive_start(channel_fd, &bundle) < 0)
        return EX_PROTOCOL;
    take_time_zone(bundle.settings);
    log_set(bundle.settings->log.format, bundle.settings->log.level);
    snprintf(folder, sizeof(folder), "%s/keys", bundle.settings->data_dir);
    settings.engine =
        strcmp(bundle.settings->dkim.engine, "opendkim") == 0 ? SIGNER_OPENDKIM : SIGNER_NATIVE;
    /* TLS keys and sockets are the relay's business: this process forgets them before it serves. */
    bundle_fini(&bundle);
    return signer_serve(channel_fd, &settings);
}
