/* Whether every loop and the key desk have a channel to the signer.  One that lost its own while
 * the signer lives (no descriptors left, a datagram that could not be read) would wait for the
 * signer's next start: the parent is asked for a fresh pair instead, which replaces all channels.
 * Thread: the service's, but signer_watch_note(), which is the loops'.  Private to relay/. */
#pragma once

#include <stdatomic.h>

#include "relay/base/mailbox.h"
#include "relay/net/patience.h"

struct service;

struct signer_watch {
    struct service *service;
    struct task task; /* tells the service's thread that some channel changed */
    atomic_bool is_posted;
    _Atomic unsigned n_up;
    struct patience patience;
    bool is_told;
};

void signer_watch_init(struct signer_watch *watch, struct service *service);
void signer_watch_begin(struct signer_watch *watch); /* from now on the parent may be asked */
void signer_watch_note(void *owner, bool is_up);     /* owner: the watch */

/* When to call signer_watch_turn() at the latest, monotonic; INT64_MAX: no need. */
int64_t signer_watch_due_ms(const struct signer_watch *watch);
void signer_watch_turn(struct signer_watch *watch);
