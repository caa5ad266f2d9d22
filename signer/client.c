#include "signer/client.h"

#include <errno.h>
#include <fcntl.h>

#include "signer/client_internal.h"
#include "signer/private_key.h"

enum { DATAGRAMS_PER_TURN = 16 };

static void turn(struct later *later);
static void lose(struct signer_client *client);

int signer_client_new(struct signer_client **out, struct loop *loop,
                      void (*on_change)(void *owner, bool is_up), void *owner)
{
    struct signer_client *client = calloc(1, sizeof(*client));

    if (!client)
        return FAULT(-ENOMEM);
    client->loop = loop;
    client->fd = -1;
    client->on_change = on_change;
    client->owner = owner;
    list_init(&client->waiting);
    list_init(&client->failed);
    later_init(&client->later, loop, turn);
    *out = client;
    return 0;
}

struct signer_client *signer_client_free(struct signer_client *client)
{
    if (!client)
        return NULL;
    lose(client); /* all that is not answered is in `failed` now */
    while (list_take_first(&client->failed))
        ;
    later_cancel(&client->later);
    buffer_fini(&client->out.records);
    channel_message_fini(&client->in);
    free(client);
    return NULL;
}

bool signer_client_is_up(const struct signer_client *client)
{
    return client->fd >= 0;
}

/* What was asked of a signer that is gone is answered on the next turn. */
static void lose(struct signer_client *client)
{
    struct list *links;

    if (client->fd < 0)
        return;
    watch_fini(&client->watch);
    close(client->fd);
    client->fd = -1;
    client->was_lost = true;
    file_slots_clear(&client->slots);
    for (unsigned i = 0; i < SIGNER_WINDOW; i++)
        if (client->under_way[i])
            list_append(&client->failed, &client_take_sent(client, i)->links);
    while ((links = list_take_first(&client->waiting)))
        list_append(&client->failed, links);
    later_set(&client->later);
}

void signer_client_disconnect(struct signer_client *client)
{
    lose(client);
}

/* Sends what waits, as far as the window and the socket have room. */
static void send_waiting(struct signer_client *client)
{
    int error = 0;

    while (!error && client->fd >= 0 && client_fill(client, &client->out)) {
        error = channel_send(client->fd, SIGNER_REQUESTS, buffer_slice(&client->out.records),
                             client->out.fds, client->out.n_fds);
        if (client->out.has_secret)
            private_key_wipe(&client->out.records);
        if (error)
            client_take_back(client, &client->out);
    }
    if (error == -EAGAIN)
        error = watch_set(&client->watch, WATCH_READ | WATCH_WRITE);
    if (error)
        lose(client);
}

static void read_replies(struct signer_client *client)
{
    for (int i = 0; i < DATAGRAMS_PER_TURN && client->fd >= 0; i++) {
        int result = channel_receive(client->fd, &client->in);

        if (result == -EAGAIN)
            return;
        if (result == 1)
            result = client_take_replies(client);
        if (result != 1)
            lose(client);
    }
}

static void on_ready(struct watch *watch, unsigned what)
{
    struct signer_client *client = CONTAINER_OF(watch, struct signer_client, watch);

    if ((what & WATCH_WRITE) && watch_set(watch, WATCH_READ) != 0) {
        lose(client);
        return;
    }
    if (what & WATCH_READ)
        read_replies(client);
    send_waiting(client);
}

int signer_client_connect(struct signer_client *client, int fd)
{
    int error;

    lose(client);
    error = fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 0 : FAULT(-errno);
    if (!error)
        error = watch_init(&client->watch, client->loop, fd, on_ready);
    if (!error)
        error = watch_set(&client->watch, WATCH_READ);
    if (error) {
        watch_fini(&client->watch);
        close(fd);
        return error;
    }
    client->fd = fd;
    later_set(&client->later);
    return 0;
}

static void tell_failed(struct signer_client *client)
{
    struct list failed, *links;

    /* What is asked from done() fails on the turn after this one. */
    list_init(&failed);
    while ((links = list_take_first(&client->failed)))
        list_append(&failed, links);
    while ((links = list_take_first(&failed)))
        client_fail(CONTAINER_OF(links, struct signer_request, links));
}

static void tell_change(struct signer_client *client)
{
    bool was_lost = client->was_lost && client->told_up;

    client->was_lost = false;
    if (was_lost) {
        client->told_up = false;
        if (client->on_change)
            client->on_change(client->owner, false);
    }
    if (client->fd >= 0 && !client->told_up) {
        client->told_up = true;
        if (client->on_change)
            client->on_change(client->owner, true);
    }
}

static void turn(struct later *later)
{
    struct signer_client *client = CONTAINER_OF(later, struct signer_client, later);

    tell_failed(client);
    tell_change(client);
    send_waiting(client);
}

static void ask(struct signer_client *client, struct signer_request *request,
                enum signer_record_kind kind, bool is_sound)
{
    bool can_wait = is_sound && client->fd >= 0;

    *request = (struct signer_request){.client = client, .kind = kind, .is_refused = !is_sound};
    list_append(can_wait ? &client->waiting : &client->failed, &request->links);
    later_set(&client->later);
}

void signer_sign(struct signer_client *client, struct sign_request *request)
{
    ask(client, &request->base, RECORD_SIGN, request->prefix.len <= SIGNER_PREFIX_MAX);
}

static bool are_names(struct slice domain, struct slice selector)
{
    return domain.len <= SIGNER_NAME_MAX && selector.len <= SIGNER_NAME_MAX;
}

void signer_key(struct signer_client *client, struct key_request *request)
{
    ask(client, &request->base, RECORD_KEY,
        are_names(request->domain, request->selector) && request->pem.len <= SIGNER_PEM_MAX);
}

void signer_key_list(struct signer_client *client, struct key_list_request *request)
{
    ask(client, &request->base, RECORD_KEY_LIST,
        are_names(request->after_domain, request->after_selector));
}

void signer_forget(struct signer_request *request)
{
    list_remove(&request->links);
    if (request->id)
        client_take_sent(request->client, request->id % SIGNER_WINDOW);
}

int signer_link_add_loop(int link_fd, int *loop_fd)
{
    int ends[2], error = channel_pair(ends);

    if (error)
        return error;
    error = channel_send(link_fd, SIGNER_LOOP, SLICE_LITERAL(""), &ends[1], 1);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    *loop_fd = ends[0];
    return 0;
}
