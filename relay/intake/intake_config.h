/* Settings and listeners as one immutable, counted value: sessions keep the one they began with.
 * Thread: any; private to relay/intake. */
#pragma once

#include <stdatomic.h>

#include "relay/base/arena.h"
#include "relay/intake/intake.h"

struct intake_config {
    struct intake_settings settings;
    struct tls_context *tls;
    struct intake_listener *listeners; /* fd: this config's own duplicate */
    size_t n_listeners;
    struct arena arena;
    _Atomic unsigned n_references;
};

/* 0 or -errno. */
MUST_USE int intake_config_new(struct intake_config **out, const struct intake_settings *settings,
                               struct tls_context *tls, const struct intake_listener *listeners,
                               size_t n_listeners);
struct intake_config *intake_config_ref(struct intake_config *config);
struct intake_config *intake_config_unref(struct intake_config *config); /* returns NULL */
