#include "relay/delivery/connection_private.h"

#include <string.h>

#include "relay/base/secret.h"
#include "relay/delivery/dispatch.h"

static void on_later(struct later *later);
static void on_turn(struct timer *turn);

/* ---- life ---- */

static struct target_host *copy_hosts(const struct target_way *way)
{
    struct target_host *hosts = calloc(way->n_hosts + 1, sizeof(*hosts));

    for (size_t i = 0; hosts && i < way->n_hosts; i++) {
        hosts[i].preference = way->hosts[i].preference;
        hosts[i].name = strdup(way->hosts[i].name);
        if (!hosts[i].name)
            hosts[i].name = strdup("");
    }
    return hosts;
}

struct connection *connection_open(struct lane *lane, struct dispatch *dispatch,
                                   enum message_class message_class)
{
    struct target *target = target_of(lane->site);
    const struct domain *domain = entry_domain(target->shard->schedule, dispatch->entries[0]);
    const struct target_way *way = &target->ways[domain->way < target->n_ways ? domain->way : 0];
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->hosts = copy_hosts(way);
    if (!connection->hosts) {
        free(connection);
        return NULL;
    }
    list_init(&connection->idle_link);
    list_init(&connection->shard_idle);
    connection->shard = target->shard;
    connection->target = target;
    connection->site = target->site;
    connection->lane = lane;
    connection->config = delivery_config_ref(target->config);
    connection->policy = target->policy;
    connection->dispatch = dispatch;
    connection->message_class = message_class;
    connection->counts_as_busy = true;
    connection->n_order = target_order(way->hosts, way->n_hosts, connection->order);
    timer_init(&connection->timer, target->shard->loop, connection_on_timer);
    timer_init(&connection->turn, target->shard->loop, on_turn);
    later_init(&connection->later, target->shard->loop, on_later);
    list_append(&target->shard->connections, &connection->all_link);
    later_set(&connection->later);
    return connection;
}

void connection_settle(struct connection *connection, bool is_kept)
{
    connection_hears(connection);
    if (connection->counts_as_busy)
        lane_transaction_ended(connection->lane, connection->message_class, is_kept);
    connection->counts_as_busy = false;
}

static void connection_free(struct connection *connection)
{
    struct delivery_shard *shard = connection->shard;

    connection_settle(connection, false);
    if (!list_is_empty(&connection->idle_link))
        lane_idle_ends(connection->lane);
    lane_closed(connection->lane, connection->is_greeted, shard_now_ms(shard));
    list_remove(&connection->all_link);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    connection_cancel_lookup(connection);
    timer_fini(&connection->timer);
    timer_fini(&connection->turn);
    later_cancel(&connection->later);
    connection_drop_stream(connection);
    for (size_t i = 0; connection->hosts[i].name; i++)
        free(connection->hosts[i].name);
    free(connection->hosts);
    delivery_config_unref(connection->config);
    free(connection);
    delivery_shard_touch(shard);
}

void connection_release_former(struct connection *connection)
{
    struct dispatch *former = TAKE(connection->former);

    connection_hears(connection);
    if (former)
        dispatch_release(former);
}

void connection_drop_stream(struct connection *connection)
{
    connection_release_former(connection);
    timer_cancel(&connection->timer);
    timer_cancel(&connection->turn);
    connection->stream = stream_free(connection->stream);
    if (connection->has_client)
        smtp_client_fini(&connection->client);
    connection->has_client = false;
}

void connection_note_trouble(struct connection *connection, const struct smtp_reply *reply,
                             bool is_permanent)
{
    struct connection_trouble *trouble = &connection->trouble;
    struct slice text = reply->text;

    if (trouble->is_set && !trouble->is_permanent && is_permanent)
        return;
    *trouble = (struct connection_trouble){
        .code = reply->code,
        .status = reply->status,
        .is_permanent = is_permanent,
        .is_set = true,
    };
    slice_copy_to(text, trouble->text, sizeof(trouble->text));
}

void connection_give_up(struct connection *connection)
{
    struct dispatch *dispatch = TAKE(connection->dispatch);
    struct connection_trouble trouble = connection->trouble;
    struct delivery_shard *shard = connection->shard;
    struct lane *lane = connection->lane;
    uint32_t dice;

    if (!trouble.is_set)
        trouble = (struct connection_trouble){.status = SMTP_STATUS(4, 4, 1),
                                              .text = "no mail host could be reached"};
    if (dispatch)
        dispatch_on_unreachable(dispatch, &trouble);
    connection_free(connection);
    random_bytes(&dice, sizeof(dice));
    if (!trouble.is_permanent)
        lane_unreachable(lane, trouble.text, &shard->config->settings.retry, dice,
                         shard_now_ms(shard));
}

void connection_try_another(struct connection *connection)
{
    connection_drop_stream(connection);
    connection->state = CONNECTION_OPENING;
    later_set(&connection->later);
}

static void on_later(struct later *later)
{
    struct connection *connection = CONTAINER_OF(later, struct connection, later);

    if (connection->state == CONNECTION_CLOSING)
        connection_free(connection);
    else
        connection_try_next(connection);
}

static void on_turn(struct timer *turn)
{
    connection_try_next(CONTAINER_OF(turn, struct connection, turn));
}

void connection_close_soon(struct connection *connection)
{
    connection->state = CONNECTION_CLOSING;
    connection_drop_stream(connection);
    later_set(&connection->later);
}

/* ---- for the dispatch ---- */

struct connection *connection_take(struct lane *lane, struct dispatch *dispatch,
                                   enum message_class message_class)
{
    struct connection *connection;

    if (list_is_empty(&lane->idle))
        return NULL;
    connection = CONTAINER_OF(lane->idle.next, struct connection, idle_link);
    list_remove(&connection->idle_link);
    list_remove(&connection->shard_idle);
    timer_cancel(&connection->timer);
    connection->dispatch = dispatch;
    connection->message_class = message_class;
    connection->counts_as_busy = true;
    return connection;
}

int connection_send(struct connection *connection, const struct smtp_transaction *transaction)
{
    int result = smtp_client_send(&connection->client, transaction);

    if (result != 0)
        return result;
    connection->state = CONNECTION_BUSY;
    connection->n_messages++;
    connection_flush(connection);
    connection_note_progress(connection);
    return 0;
}

size_t connection_room(const struct connection *connection)
{
    return connection->stream ? stream_output_room(connection->stream) : 0;
}

int connection_write_body(struct connection *connection, struct slice chunk)
{
    int result = smtp_client_body(&connection->client, chunk);

    if (result == 0)
        connection_flush(connection);
    return result;
}

int connection_end_body(struct connection *connection)
{
    int result = smtp_client_body_end(&connection->client);

    if (result != 0)
        return result;
    connection_flush(connection);
    connection_note_progress(connection);
    return 0;
}

void connection_let_go(struct connection *connection)
{
    connection->dispatch = NULL;
    if (connection->state == CONNECTION_READY)
        connection_become_ready(connection);
}

void connection_abort(struct connection *connection)
{
    connection->dispatch = NULL;
    connection_close_soon(connection);
}

void connection_end_oldest_idle(struct delivery_shard *shard)
{
    if (!list_is_empty(&shard->idle))
        connection_quit(CONTAINER_OF(shard->idle.next, struct connection, shard_idle));
}

void connection_end_idle_of(void *owner, struct lane *lane)
{
    (void)owner;
    if (!list_is_empty(&lane->idle))
        connection_quit(CONTAINER_OF(lane->idle.previous, struct connection, idle_link));
}

void connection_end_idle(struct delivery_shard *shard)
{
    while (!list_is_empty(&shard->idle))
        connection_end_oldest_idle(shard);
}

void connection_end_of_egress(struct delivery_shard *shard, uint32_t numbers)
{
    LIST_FOR_EACH(link, &shard->connections)
    {
        struct connection *connection = CONTAINER_OF(link, struct connection, all_link);

        if (!(numbers >> connection->lane->egress & 1))
            continue;
        connection->is_outdated = true;
        if (!list_is_empty(&connection->shard_idle))
            connection_quit(connection);
    }
}

void connection_end_opening(struct delivery_shard *shard)
{
    LIST_FOR_EACH(link, &shard->connections)
    {
        struct connection *connection = CONTAINER_OF(link, struct connection, all_link);
        struct dispatch *dispatch = connection->dispatch;

        if (connection->state == CONNECTION_READY && dispatch)
            dispatch_on_drain(dispatch);
        if (connection->state != CONNECTION_OPENING)
            continue;
        connection->dispatch = NULL;
        if (dispatch)
            dispatch_on_stale(dispatch);
        connection_cancel_lookup(connection);
        connection_close_soon(connection);
    }
}

void connection_free_all(struct delivery_shard *shard)
{
    while (!list_is_empty(&shard->connections))
        connection_free(CONTAINER_OF(shard->connections.next, struct connection, all_link));
}
