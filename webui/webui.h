/* The HTTP API (and later the panel) on its own thread: over control.sock for the command line,
 * over TCP when the settings say `panel`.  It knows nobody's insides: what it shows and orders goes
 * through the registry, the spool's reader, the key desk and the functions main.c hands in.
 * Thread: start and stop from the starting thread. */
#pragma once

#include "relay/base/fault.h"
#include "relay/control/settings.h"
#include "relay/schedule/operate.h"

struct registry;
struct events;
struct key_desk;
struct spool;
struct webui;

/* How the service is, for health and version. */
struct service_status {
    bool is_ready; /* every listener accepts */
    bool is_draining;
    bool signer_is_up;
    bool queue_is_healthy, queue_is_full;
    unsigned n_doors; /* listeners that accept, over all loops */
    int64_t started_utc_ms;
    const char *notes[8]; /* what it could not get (users, confinement, file limit); NULL ends */
};

struct policy;

/* Of those that SMTP clients are shown, the one that ends first. */
struct webui_certificate {
    char name[64];       /* of its tls section */
    int64_t ends_utc_ms; /* 0: nobody knows */
    bool is_self_signed; /* our own, because the settings name none */
};

/* A port that takes mail, as it is bound: settings may say 0. */
struct webui_door {
    char listener[64]; /* title of its section */
    uint16_t port;
};
enum { WEBUI_MOST_DOORS = 32 };

struct webui_parts {
    int control_fd; /* listening Unix socket; the caller's */
    int panel_fd;   /* listening TCP socket, or -1 */
    struct registry *registry;
    struct policy *policy; /* NULL: nobody counts quotas */
    struct key_desk *key_desk;
    struct spool *spool;
    const char *spool_dir; /* for the read-only connection to the rows */
    struct events *events;
    const char *history_dir; /* copied */
    const struct operations *operations;
    struct settings *settings;             /* referenced */
    struct slice certificate_pem, key_pem; /* of the panel; empty: plain HTTP; copied */
    struct webui_certificate certificate;
    struct webui_door doors[WEBUI_MOST_DOORS]; /* listener[0] 0: the end */

    void *owner;
    void (*status)(void *owner, struct service_status *out); /* any thread */
};

/* new: before registry_start(), to be told of users and domains; start: when all parts run; stop:
 * while they still run, answers under way are awaited; free: after registry_stop(). */
MUST_USE int webui_new(struct webui **out, struct registry *registry); /* 0 or -errno */
MUST_USE int webui_start(struct webui *webui, const struct webui_parts *parts);
void webui_stop(struct webui *webui);
struct webui *webui_free(struct webui *webui); /* NULL in, NULL out */

/* Settings and certificates as they are now; takes a reference and copies of its own: of parts only
 * .settings, .certificate_pem, .key_pem, .certificate and .doors count.  Any thread. */
void webui_apply(struct webui *webui, const struct webui_parts *parts);
