/* What the files of webui share.  Thread: the panel's. */
#pragma once

#include <pthread.h>

#include "policy/registry.h"
#include "relay/base/list.h"
#include "relay/base/mailbox.h"
#include "webui/access.h"
#include "webui/job_list.h"
#include "webui/live.h"
#include "webui/past.h"
#include "webui/path_jobs.h"
#include "webui/pulse.h"
#include "webui/repeats.h"
#include "webui/unpacked.h"
#include "webui/webui.h"

struct MHD_Daemon;
struct queue_desk;

enum { WEBUI_MAX_DAEMONS = 8, WEBUI_HOSTNAME_SIZE = 256 };

/* Serves the certificate that webui holds now, or remembers to try again. */
void webui_renew(struct webui *webui);

struct webui {
    struct webui_parts parts;
    struct mailbox *mailbox;
    pthread_t thread;
    struct MHD_Daemon *daemons[WEBUI_MAX_DAEMONS];
    bool
        is_retired[WEBUI_MAX_DAEMONS]; /* takes no new connections: its certificate is an old one */
    bool is_renewal_due;               /* of the certificate: there was no room yet */
    int panel_fd;                      /* a copy of ours, for the next certificate; or -1 */
    char *certificate, *key;           /* PEM; NULL: plain HTTP */
    unsigned n_daemons;
    struct list guests; /* open connections */
    int64_t swept_ms;   /* when slow ones were last looked for */
    struct task stop;
    bool is_running, is_stopping;
    unsigned n_waiting; /* exchanges whose answer comes from another thread */
    struct settings *settings;
    char hostname[WEBUI_HOSTNAME_SIZE]; /* ours */
    struct directory *directory;
    struct directory_subscriber subscriber;
    struct queue_desk *queue_desk;     /* its own thread: reads rows */
    struct access access;              /* who is signed in, and who may be */
    struct history_desk *history_desk; /* the other one */
    struct pulse pulse;
    struct past past;
    struct live live;
    struct jobs jobs;
    struct path_jobs paths;
    struct repeats repeats;
    struct unpacked_files unpacked;
    struct list changes;                    /* exchanges that change something: state.h */
    struct list searches, tables, messages; /* exchanges under way: turns.h */
};
