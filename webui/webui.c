#include "webui/webui.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/base/secret.h"
#include "relay/base/thread.h"
#include "webui/history_desk.h"
#include "webui/queue_desk.h"
#include "webui/server.h"
#include "webui/setup.h"

enum { MAILBOX_REQUESTS = 1024 };

static void run_stop(struct task *task)
{
    CONTAINER_OF(task, struct webui, stop)->is_stopping = true;
}

/* Answers that are still to come point into exchanges: they are awaited before the end. */
static void *run(void *argument)
{
    struct webui *webui = argument;

    while (!webui->is_stopping || webui->n_waiting)
        server_turn(webui);
    live_end_all(&webui->live);
    while (webui->live.n_streams)
        server_turn(webui);
    server_close_all(webui);
    return NULL;
}

static void receive_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct webui *webui = CONTAINER_OF(subscriber, struct webui, subscriber);

    directory_unref(webui->directory);
    webui->directory = directory;
}

static int open_all(struct webui *webui)
{
    int error = server_open(webui, webui->parts.control_fd, true, NULL);

    if (error == 0 && webui->parts.panel_fd >= 0) {
        setup_begin(webui);
        error = server_open(webui, webui->parts.panel_fd, false, NULL);
    }
    return error;
}

static void take_hostname(struct webui *webui)
{
    const char *name = webui->settings->hostname;

    if (*name)
        (void)snprintf(webui->hostname, sizeof(webui->hostname), "%s", name);
    else if (gethostname(webui->hostname, sizeof(webui->hostname) - 1) < 0)
        webui->hostname[0] = '\0';
}

static void release(struct webui *webui)
{
    webui->queue_desk = queue_desk_free(webui->queue_desk);
    webui->history_desk = history_desk_free(webui->history_desk);
    live_fini(&webui->live);
    server_close_all(webui);
    access_close(&webui->access);
    mailbox_free(webui->mailbox);
    directory_unref(webui->directory);
    settings_unref(webui->settings);
    free(webui);
}

int webui_new(struct webui **out, struct registry *registry)
{
    struct webui *webui = calloc(1, sizeof(*webui));
    int error;

    if (!webui)
        return FAULT(-ENOMEM);
    /* Bodies hold passwords and keys, and a parser copies as it goes. */
    json_set_alloc_funcs(malloc, secret_free);
    webui->stop.run = run_stop;
    list_init(&webui->guests);
    pulse_init(&webui->pulse, webui);
    live_init(&webui->live, webui);
    error = mailbox_new(&webui->mailbox, MAILBOX_REQUESTS);
    if (error < 0) {
        free(webui);
        return error;
    }
    webui->subscriber =
        (struct directory_subscriber){.mailbox = webui->mailbox, .receive = receive_directory};
    error = access_open(&webui->access, registry);
    if (error < 0) {
        release(webui);
        return error;
    }
    registry_subscribe(registry, &webui->subscriber);
    *out = webui;
    return 0;
}

int webui_start(struct webui *webui, const struct webui_parts *parts)
{
    int error;

    webui->parts = *parts;
    webui->settings = settings_ref(parts->settings);
    take_hostname(webui);
    error = queue_desk_new(&webui->queue_desk, parts->spool_dir);
    if (error == 0)
        error = history_desk_new(&webui->history_desk, parts->history_dir);
    if (error == 0)
        error = open_all(webui);
    if (error == 0)
        error = thread_start(&webui->thread, "panel", run, webui);
    webui->is_running = error == 0;
    return error;
}

struct apply_task {
    struct task task;
    struct webui *webui;
    struct settings *settings;
};

static void run_apply(struct task *task)
{
    struct apply_task *apply = CONTAINER_OF(task, struct apply_task, task);

    settings_unref(apply->webui->settings);
    apply->webui->settings = apply->settings;
    take_hostname(apply->webui);
    free(apply);
}

void webui_apply(struct webui *webui, struct settings *settings)
{
    struct apply_task *apply = malloc(sizeof(*apply));

    if (!apply)
        return; /* it goes on showing the settings before */
    *apply = (struct apply_task){{.run = run_apply}, webui, settings_ref(settings)};
    mailbox_answer(webui->mailbox, &apply->task);
}

void webui_stop(struct webui *webui)
{
    if (!webui || !webui->is_running)
        return;
    mailbox_answer(webui->mailbox, &webui->stop);
    pthread_join(webui->thread, NULL);
    webui->is_running = false;
}

struct webui *webui_free(struct webui *webui)
{
    if (webui)
        release(webui);
    return NULL;
}
