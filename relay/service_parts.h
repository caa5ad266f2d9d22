/* The modules of the relay process, how each is made and given what the settings say.
 * Thread: the service's, but where noted.  Private to relay/. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "relay/bundle.h"
#include "relay/control/connect_ports.h"
#include "relay/control/key_desk.h"
#include "relay/delivery/delivery.h"
#include "relay/delivery/operate.h"
#include "relay/intake/intake.h"
#include "relay/net/tls_context.h"
#include "relay/service_signer.h"
#include "relay/spool/spool.h"
#include "webui/webui.h"

enum { SERVICE_MAX_LOOPS = 64 };

struct service {
    int channel_fd; /* to the parent */
    struct bundle bundle;
    struct arena start_arena; /* of what holds until the process ends */
    struct arena arena;       /* of what settings were turned into; dies with the next reload */
    const char *hostname;
    struct events *events;
    struct mailbox *mailbox;

    struct loop *loops[SERVICE_MAX_LOOPS];
    pthread_t threads[SERVICE_MAX_LOOPS];
    unsigned n_loops, n_running;

    struct registry *registry;
    struct policy *policy;
    struct spool *spool;
    struct delivery *delivery;
    struct intake *intake;
    struct key_desk *key_desk;
    struct webui *webui;
    struct tls_tickets *tickets;
    struct tls_pem self_signed; /* when the settings name no certificate */
    struct operations operations;
    struct signer_watch signer_watch;

    struct intake_applied intake_applied;
    bool is_intake_applied; /* every loop goes by the newest settings */
    struct intake_drain intake_drain;
    struct delivery_drain delivery_drain;
    unsigned n_draining;       /* of these two, still at it */
    int64_t drain_deadline_ms; /* monotonic; 0: not draining */
    bool is_over;
    _Atomic bool is_ready, is_draining;
    _Atomic bool is_book_refused;    /* files about receivers: what is built in is used */
    _Atomic unsigned n_doors_wanted; /* listeners of the settings, over all loops */
    int64_t started_utc_ms;
    struct connect_ports granted_ports; /* by the sandbox, for as long as the process runs */
    const char *notes[8];
};

/* Everything up to the loops' threads, recovered mail included.  0 or -errno. */
MUST_USE int service_start_parts(struct service *service);

/* Once the loops have stopped; also after a failed start. */
void service_stop_parts(struct service *service);

/* Gives the modules what the settings say.  fresh replaces the bundle (NULL: the first time).  On
 * an error the bundle stays, *why is a sentence or empty, and a bad certificate has changed
 * nothing; when memory ran out, modules asked before that keep what they got. */
MUST_USE int service_apply(struct service *service, struct bundle *fresh, const char **why);

MUST_USE int service_start_webui(struct service *service);
void service_apply_webui(struct service *service); /* new settings, perhaps a new certificate */
void service_stop_webui(struct service *service);
