#include "relay/service_signer.h"

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/log.h"
#include "relay/service_parts.h"

/* A signer that ended is back sooner, with channels of its own accord.  A fresh pair replaces the
 * channels of all: for one that is lost again and again, the others must not be stopped each
 * second. */
enum { ASK_AFTER_MS = 1000, LONGEST_PAUSE_MS = 30000 };

static unsigned n_missing(struct signer_watch *watch)
{
    return watch->service->n_loops + 1 - atomic_load(&watch->n_up);
}

static void look(struct task *task)
{
    struct signer_watch *watch = CONTAINER_OF(task, struct signer_watch, task);

    atomic_store(&watch->is_posted, false);
    if (n_missing(watch) > 0) {
        patience_broken(&watch->patience, clock_monotonic_ms());
        return;
    }
    patience_whole(&watch->patience, clock_monotonic_ms());
    watch->is_told = false;
}

void signer_watch_init(struct signer_watch *watch, struct service *service)
{
    *watch = (struct signer_watch){
        .service = service,
        .task = {.run = look},
        .patience = patience_of(ASK_AFTER_MS, LONGEST_PAUSE_MS),
    };
}

void signer_watch_begin(struct signer_watch *watch)
{
    patience_broken(&watch->patience, clock_monotonic_ms());
}

void signer_watch_note(void *owner, bool is_up)
{
    struct signer_watch *watch = owner;

    if (is_up)
        atomic_fetch_add(&watch->n_up, 1);
    else
        atomic_fetch_sub(&watch->n_up, 1);
    if (!atomic_exchange(&watch->is_posted, true))
        mailbox_answer(watch->service->mailbox, &watch->task);
}

int64_t signer_watch_due_ms(const struct signer_watch *watch)
{
    return watch->patience.ask_at_ms;
}

/* Again and again: the parent hands out nothing while the signer is down. */
void signer_watch_turn(struct signer_watch *watch)
{
    if (!patience_ends(&watch->patience, clock_monotonic_ms()))
        return;
    if (!watch->is_told)
        EVENT(EVENT_SIGNER_LOST, field_number("channels", n_missing(watch)));
    watch->is_told = true;
    if (channel_send(watch->service->channel_fd, CHANNEL_PEER_LOST, slice_of(""), NULL, 0) < 0)
        log_debug("service", "the parent is gone");
}
