#include "relay/parent_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay/base/event.h"
#include "relay/net/ports.h"

enum { MAX_LISTENERS = CHANNEL_MAX_FDS - 2, WAIT_MS = 50, LONGEST_WAIT_MS = 3000 };

static const struct bundle_listener *find(const struct bundle *bundle, const char *name,
                                          const char *wanted)
{
    for (size_t i = 0; i < bundle->n_listeners; i++)
        if (strcmp(bundle->listeners[i].name, name) == 0 &&
            strcmp(bundle->listeners[i].wanted, wanted) == 0)
            return &bundle->listeners[i];
    return NULL;
}

static const char *keep_text(struct bundle *bundle, const char *text)
{
    const char *copy = arena_copy(&bundle->arena, slice_of(text)).data;

    return copy ? copy : "";
}

static void add(struct bundle *bundle, const char *name, const char *wanted, const char *address,
                int fd)
{
    bundle->listeners[bundle->n_listeners++] = (struct bundle_listener){
        .name = keep_text(bundle, name),
        .wanted = keep_text(bundle, wanted),
        .address = keep_text(bundle, address),
        .fd = fd,
    };
}

static int open_tcp(struct bundle *bundle, const char *name, const char *wanted,
                    struct buffer *problem)
{
    struct socket_address address, actual;
    char text[SOCKET_TEXT_SIZE];
    int fd, error;

    if (!socket_address_parse(slice_of(wanted), -1, &address)) {
        buffer_printf(problem, "%s: \"%s\": '%s' is not ADDRESS:PORT\n", bundle->path, name,
                      wanted);
        return -EINVAL;
    }
    error = port_listen_tcp(&fd, &address, &actual);
    if (error < 0) {
        buffer_printf(problem, "%s: \"%s\": cannot listen on %s: %s\n", bundle->path, name, wanted,
                      strerror(-error));
        return error;
    }
    add(bundle, name, wanted, socket_address_print(&actual, text), fd);
    return 0;
}

static int open_unix(struct bundle *bundle, const char *path, struct buffer *problem)
{
    int fd;
    int error = port_listen_unix(&fd, path);

    if (error < 0) {
        buffer_printf(problem, "cannot listen on %s: %s\n", path,
                      error == -EADDRINUSE ? "another service does" : strerror(-error));
        return error;
    }
    add(bundle, BUNDLE_CONTROL, path, path, fd);
    return 0;
}

/* Shares the old socket, or opens one. */
static int keep_or_open(struct bundle *bundle, const struct bundle *before, const char *name,
                        const char *wanted, struct buffer *problem)
{
    const struct bundle_listener *old = find(before, name, wanted);
    int fd;

    if (bundle->n_listeners >= MAX_LISTENERS) {
        buffer_printf(problem, "%s: more than %d addresses\n", bundle->path, MAX_LISTENERS);
        return -EINVAL;
    }
    if (!old)
        return strcmp(name, BUNDLE_CONTROL) == 0 ? open_unix(bundle, wanted, problem)
                                                 : open_tcp(bundle, name, wanted, problem);
    fd = fcntl(old->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return FAULT(-errno);
    add(bundle, name, wanted, old->address, fd);
    return 0;
}

/* Where the panel and the control socket are needs a restart to change: who serves them does not
 * look again, so a reload keeps what it has. */
static const char *wanted_over_reload(const struct bundle *before, const char *name,
                                      const char *wanted)
{
    if (before->n_listeners == 0)
        return wanted; /* the start */
    for (size_t i = 0; i < before->n_listeners; i++)
        if (strcmp(before->listeners[i].name, name) == 0)
            return before->listeners[i].wanted;
    return "";
}

static int open_all(struct bundle *bundle, const struct bundle *before, struct buffer *problem)
{
    const struct settings *settings = bundle->settings;
    char path[4096];
    const char *control, *panel;
    int error = 0;

    /* Asked before anything is opened: at the start, before and bundle are one. */
    snprintf(path, sizeof(path), "%s/%s", settings->run_dir, BUNDLE_CONTROL);
    control = wanted_over_reload(before, BUNDLE_CONTROL, path);
    panel = wanted_over_reload(before, BUNDLE_PANEL, settings->panel.address);
    for (size_t i = 0; i < settings->n_listen; i++)
        for (size_t k = 0; error == 0 && k < settings->listen[i].address.n_items; k++)
            error = keep_or_open(bundle, before, settings->listen[i].title,
                                 settings->listen[i].address.items[k], problem);
    if (error == 0 && *panel)
        error = keep_or_open(bundle, before, BUNDLE_PANEL, panel, problem);
    return error < 0 ? error : keep_or_open(bundle, before, BUNDLE_CONTROL, control, problem);
}

static void close_all(struct bundle *bundle)
{
    while (bundle->n_listeners > 0)
        close_fd_cleanup(&bundle->listeners[--bundle->n_listeners].fd);
}

/* After a kill -9 of the parent its children hold the ports for a moment longer (they are killed by
 * its death, and many threads take a while to die); a start that follows at once waits for them. */
int parent_ports_open(struct bundle *bundle, const struct bundle *before, struct buffer *problem)
{
    bool may_wait = before->n_listeners == 0; /* a reload must not hold the supervisor up */
    int error;

    bundle->listeners = arena_alloc(&bundle->arena, MAX_LISTENERS * sizeof(*bundle->listeners));
    if (!bundle->listeners)
        return FAULT(-ENOMEM);
    error = open_all(bundle, before, problem);
    for (int waited_ms = 0; may_wait && error == -EADDRINUSE && waited_ms < LONGEST_WAIT_MS;
         waited_ms += WAIT_MS) {
        close_all(bundle);
        buffer_clear(problem);
        usleep(WAIT_MS * 1000);
        error = open_all(bundle, before, problem);
    }
    return error;
}
