#include "relay/intake/intake_config.h"

#include <errno.h>
#include <fcntl.h>

struct intake_config *intake_config_ref(struct intake_config *config)
{
    atomic_fetch_add(&config->n_references, 1);
    return config;
}

struct intake_config *intake_config_unref(struct intake_config *config)
{
    if (!config || atomic_fetch_sub(&config->n_references, 1) != 1)
        return NULL;
    for (size_t i = 0; i < config->n_listeners; i++)
        close_fd_cleanup(&config->listeners[i].fd);
    tls_context_unref(config->tls);
    arena_reset(&config->arena);
    free(config);
    return NULL;
}

static int copy_listeners(struct intake_config *config, const struct intake_listener *listeners,
                          size_t n_listeners)
{
    config->listeners = arena_alloc(&config->arena, (n_listeners + 1) * sizeof(*listeners));
    if (!config->listeners)
        return FAULT(-ENOMEM);
    for (size_t i = 0; i < n_listeners; i++) {
        struct intake_listener *copy = &config->listeners[i];

        *copy = listeners[i];
        copy->name = arena_copy(&config->arena, slice_of(listeners[i].name)).data;
        copy->fd = fcntl(listeners[i].fd, F_DUPFD_CLOEXEC, 0);
        config->n_listeners++;
        if (copy->fd < 0)
            return FAULT(-errno);
        if (!copy->name)
            return FAULT(-ENOMEM);
    }
    return 0;
}

int intake_config_new(struct intake_config **out, const struct intake_settings *settings,
                      struct tls_context *tls, const struct intake_listener *listeners,
                      size_t n_listeners)
{
    struct intake_config *config = calloc(1, sizeof(*config));
    int error;

    if (!config)
        return FAULT(-ENOMEM);
    config->n_references = 1;
    config->settings = *settings;
    config->settings.hostname = arena_copy(&config->arena, slice_of(settings->hostname)).data;
    config->tls = tls ? tls_context_ref(tls) : NULL;
    error =
        config->settings.hostname ? copy_listeners(config, listeners, n_listeners) : FAULT(-ENOMEM);
    if (error < 0) {
        intake_config_unref(config);
        return error;
    }
    *out = config;
    return 0;
}
