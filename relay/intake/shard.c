#include "relay/intake/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "relay/base/event.h"
#include "relay/intake/session.h"
#include "relay/net/listener.h"

/* One listening socket on this loop. */
struct door {
    struct list links;
    struct intake_shard *shard;
    struct intake_config *config;
    const struct intake_listener *settings;
    struct listener *listener;
};

static void on_accept(void *owner, int fd, const struct socket_address *peer)
{
    struct door *door = owner;

    session_begin(door->shard, door->config, door->settings, fd, peer);
}

static struct door *door_close(struct door *door)
{
    list_remove(&door->links);
    listener_free(door->listener);
    intake_config_unref(door->config);
    free(door);
    return NULL;
}

static void door_open(struct intake_shard *shard, const struct intake_listener *settings)
{
    struct door *door = calloc(1, sizeof(*door));
    int error = door ? 0 : -ENOMEM;

    if (door) {
        list_append(&shard->listeners, &door->links);
        door->shard = shard;
        door->config = intake_config_ref(shard->config);
        door->settings = settings;
        error = listener_new(&door->listener, shard->loop, settings->fd, on_accept, door);
        if (error < 0)
            door_close(door);
    }
    if (error < 0)
        EVENT(EVENT_START_FAILED, field_text("listener", settings->name),
              field_text("reason", strerror(-error)));
    else
        atomic_fetch_add(&shard->n_accepting, 1);
}

static void close_doors(struct intake_shard *shard)
{
    struct list *links;

    while ((links = list_take_first(&shard->listeners)))
        door_close(CONTAINER_OF(links, struct door, links));
    atomic_store(&shard->n_accepting, 0);
}

void intake_shard_apply(struct intake_shard *shard, struct intake_config *config)
{
    close_doors(shard);
    intake_config_unref(shard->config);
    shard->config = config;
    for (size_t i = 0; !shard->drain && i < config->n_listeners; i++)
        door_open(shard, &config->listeners[i]);
}

static void receive_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct intake_shard *shard = CONTAINER_OF(subscriber, struct intake_shard, subscriber);

    directory_unref(shard->directory);
    shard->directory = directory;
}

static void end_drain(struct intake_shard *shard)
{
    struct intake_drain *drain = shard->drain;

    shard->drain = NULL;
    tally_flush(&shard->tally);
    timer_cancel(&shard->drain_timer);
    if (atomic_fetch_sub(&drain->n_left, 1) == 1)
        mailbox_answer(drain->answer_to, &drain->task);
}

static void drain_overdue(struct timer *timer)
{
    struct intake_shard *shard = CONTAINER_OF(timer, struct intake_shard, drain_timer);

    LIST_FOR_EACH(links, &shard->sessions)
    session_shut_down(CONTAINER_OF(links, struct session, links), true);
}

void intake_shard_drain(struct intake_shard *shard, struct intake_drain *drain)
{
    close_doors(shard);
    shard->drain = drain;
    timer_set(&shard->drain_timer, INTAKE_DRAIN_MS);
    LIST_FOR_EACH(links, &shard->sessions)
    session_shut_down(CONTAINER_OF(links, struct session, links), false);
    if (shard->drain && list_is_empty(&shard->sessions)) /* the last one may have ended it */
        end_drain(shard);
}

void intake_shard_session_ended(struct intake_shard *shard)
{
    if (shard->drain && list_is_empty(&shard->sessions))
        end_drain(shard);
}

static void end_peer_log_window(struct timer *timer)
{
    peer_log_end_window(&CONTAINER_OF(timer, struct intake_shard, peer_log_window)->peer_log);
}

bool intake_shard_may_tell(struct intake_shard *shard, enum event_kind kind, struct ip_address peer)
{
    if (!shard->peer_log_window.is_set)
        timer_set(&shard->peer_log_window, PEER_LOG_WINDOW_MS);
    return peer_log_may(&shard->peer_log, kind, peer);
}

void intake_shard_init(struct intake_shard *shard, struct intake *intake, struct loop *loop,
                       const struct intake_parts *parts, struct message_memory *memory)
{
    *shard = (struct intake_shard){
        .intake = intake,
        .loop = loop,
        .parts = parts,
        .memory = memory,
        .subscriber = {.mailbox = loop_mailbox(loop), .receive = receive_directory}
    };
    list_init(&shard->listeners);
    list_init(&shard->sessions);
    timer_init(&shard->drain_timer, loop, drain_overdue);
    peer_log_init(&shard->peer_log);
    timer_init(&shard->peer_log_window, loop, end_peer_log_window);
    intake_tally_init(shard);
}

void intake_shard_fini(struct intake_shard *shard)
{
    close_doors(shard);
    LIST_FOR_EACH(links, &shard->sessions)
    session_abandon(CONTAINER_OF(links, struct session, links));
    timer_fini(&shard->drain_timer);
    timer_fini(&shard->peer_log_window);
    timer_fini(&shard->tally_timer);
    tally_fini(&shard->tally);
    peer_log_end_window(&shard->peer_log);
    intake_config_unref(shard->config);
    directory_unref(shard->directory);
}
