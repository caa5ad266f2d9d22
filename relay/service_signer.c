#include "relay/service_signer.h"

#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "relay/base/log.h"
#include "relay/service_parts.h"

/* A signer that ended is back sooner, with channels of its own accord. */
enum { ASK_AFTER_MS = 1000 };

static unsigned n_missing(struct signer_watch *watch)
{
    return watch->service->n_loops + 1 - atomic_load(&watch->n_up);
}

static void look(struct task *task)
{
    struct signer_watch *watch = CONTAINER_OF(task, struct signer_watch, task);

    atomic_store(&watch->is_posted, false);
    if (n_missing(watch) == 0) {
        watch->ask_at_ms = INT64_MAX;
        watch->is_told = false;
    } else if (watch->ask_at_ms == INT64_MAX) {
        watch->ask_at_ms = clock_monotonic_ms() + ASK_AFTER_MS;
    }
}

void signer_watch_init(struct signer_watch *watch, struct service *service)
{
    *watch = (struct signer_watch){
        .service = service,
        .task = {.run = look},
        .ask_at_ms = INT64_MAX,
    };
}

void signer_watch_begin(struct signer_watch *watch)
{
    watch->ask_at_ms = clock_monotonic_ms() + ASK_AFTER_MS;
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
    return watch->ask_at_ms;
}

/* Again and again: the parent hands out nothing while the signer is down. */
void signer_watch_turn(struct signer_watch *watch)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms < watch->ask_at_ms)
        return;
    watch->ask_at_ms = now_ms + ASK_AFTER_MS;
    if (!watch->is_told)
        EVENT(EVENT_SIGNER_LOST, field_number("channels", n_missing(watch)));
    watch->is_told = true;
    if (channel_send(watch->service->channel_fd, CHANNEL_PEER_LOST, slice_of(""), NULL, 0) < 0)
        log_debug("service", "the parent is gone");
}
