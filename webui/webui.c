#include "webui/webui.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/base/secret.h"
#include "relay/base/thread.h"
#include "webui/history_desk.h"
#include "webui/jobs.h"
#include "webui/queue_desk.h"
#include "webui/server.h"
#include "webui/setup.h"
#include "webui/turns.h"

enum { MAILBOX_REQUESTS = 1024 };

static void run_stop(struct task *task)
{
    struct webui *webui = CONTAINER_OF(task, struct webui, stop);

    webui->is_stopping = true;
    jobs_stop(&webui->jobs);
    path_jobs_stop(&webui->paths);
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
        struct server_identity identity = {webui->certificate, webui->key};

        setup_begin(webui);
        webui->panel_fd = fcntl(webui->parts.panel_fd, F_DUPFD_CLOEXEC, 0);
        error = webui->panel_fd < 0
                    ? FAULT(-errno)
                    : server_open(webui, webui->panel_fd, false, identity.key ? &identity : NULL);
    }
    return error;
}

static char *take_key(struct slice pem)
{
    char *copy = pem.len ? slice_to_string(pem) : NULL;

    if (copy)
        secret_hide(copy, pem.len);
    return copy;
}

static int take_identity(struct webui *webui, struct slice certificate, struct slice key)
{
    webui->certificate = certificate.len ? slice_to_string(certificate) : NULL;
    webui->key = take_key(key);
    return !webui->certificate == !certificate.len && !webui->key == !key.len ? 0 : FAULT(-ENOMEM);
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
    pulse_fini(&webui->pulse);
    past_fini(&webui->past);
    live_fini(&webui->live);
    jobs_fini(&webui->jobs);
    path_jobs_fini(&webui->paths);
    server_close_all(webui);
    repeats_fini(&webui->repeats);
    unpacked_fini(&webui->unpacked);
    if (webui->panel_fd >= 0)
        close(webui->panel_fd);
    free(webui->certificate);
    secret_free(webui->key);
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
    webui->panel_fd = -1;
    list_init(&webui->guests);
    turns_init(webui);
    list_init(&webui->changes);
    repeats_init(&webui->repeats);
    unpacked_init(&webui->unpacked);
    pulse_init(&webui->pulse, webui);
    past_init(&webui->past, webui);
    live_init(&webui->live, webui);
    jobs_init(&webui->jobs, webui);
    path_jobs_init(&webui->paths, webui);
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
    error = take_identity(webui, parts->certificate_pem, parts->key_pem);
    if (error == 0)
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
    char *certificate, *key;
    struct webui_certificate shown;
    struct webui_door doors[WEBUI_MOST_DOORS];
};

void webui_renew(struct webui *webui)
{
    struct server_identity identity = {webui->certificate, webui->key};

    webui->is_renewal_due = server_renew(webui, &identity) < 0;
}

/* A certificate that came with the settings; whether there is one at all needs a restart. */
static void renew(struct webui *webui, struct apply_task *apply)
{
    char *certificate = webui->certificate, *key = webui->key;

    if (webui->key && apply->key && apply->certificate &&
        (strcmp(key, apply->key) != 0 || strcmp(certificate, apply->certificate) != 0)) {
        webui->certificate = apply->certificate;
        webui->key = apply->key;
        apply->certificate = certificate;
        apply->key = key;
        webui_renew(webui);
    }
    free(apply->certificate);
    secret_free(apply->key);
}

static void run_apply(struct task *task)
{
    struct apply_task *apply = CONTAINER_OF(task, struct apply_task, task);

    settings_unref(apply->webui->settings);
    apply->webui->settings = apply->settings;
    apply->webui->parts.certificate = apply->shown;
    memcpy(apply->webui->parts.doors, apply->doors, sizeof(apply->doors));
    take_hostname(apply->webui);
    renew(apply->webui, apply);
    free(apply);
}

void webui_apply(struct webui *webui, const struct webui_parts *parts)
{
    struct apply_task *apply = malloc(sizeof(*apply));

    if (!apply)
        return; /* it goes on showing the settings before */
    *apply = (struct apply_task){
        .task = {.run = run_apply},
        .webui = webui,
        .settings = settings_ref(parts->settings),
        .certificate = parts->certificate_pem.len ? slice_to_string(parts->certificate_pem) : NULL,
        .key = take_key(parts->key_pem),
        .shown = parts->certificate,
    };
    memcpy(apply->doors, parts->doors, sizeof(apply->doors));
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
