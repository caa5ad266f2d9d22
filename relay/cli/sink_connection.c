#include "relay/cli/sink_connection.h"

#include <string.h>

#include "relay/base/clock.h"

struct sink_connection {
    struct list links; /* in sink->connections */
    struct sink *sink;
    struct stream *stream;
    struct sink_session session;
    struct timer wait; /* the script's delay */
    struct timer idle;
    char peer[SOCKET_TEXT_SIZE];
    bool is_waiting, is_closing;
    bool has_left; /* is not counted as open any more */
};

/* What the session knows of the moment. */
static struct sink_session *session_now(struct sink_connection *connection)
{
    connection->session.now_ms = clock_monotonic_ms() - connection->sink->began_ms;
    connection->session.place.n_open = (unsigned)connection->sink->counts.n_open;
    return &connection->session;
}

static void note_end(const struct sink_connection *connection)
{
    const struct sink_place *place = &connection->session.place;
    const struct sink_event event = {.peer = place->peer,
                                     .listener = place->listener,
                                     .sender = "",
                                     .recipient = "",
                                     .n_open = (unsigned)connection->sink->counts.n_open};

    sink_trace_note(connection->sink->trace, "CLOSE", place->connection, &event, 0);
}

/* With our last word its place is free: a peer that has read it may come anew before we see that
 * the old connection is closed. */
static void leave(struct sink_connection *connection)
{
    if (connection->has_left)
        return;
    connection->has_left = true;
    connection->sink->counts.n_open--;
    note_end(connection);
}

static void connection_free(struct sink_connection *connection)
{
    struct sink *sink = connection->sink;

    leave(connection);
    sink->counts.n_refused += connection->session.n_refused;
    list_remove(&connection->links);
    timer_fini(&connection->wait);
    timer_fini(&connection->idle);
    stream_free(connection->stream);
    sink_session_fini(&connection->session);
    free(connection);
}

/* False when the peer does not read: such a connection is given up. */
static bool flush_output(struct sink_connection *connection)
{
    struct buffer *output = &connection->session.output;
    bool is_written =
        output->len == 0 || stream_write(connection->stream, buffer_slice(output)) == 0;

    buffer_clear(output);
    return is_written;
}

static enum sink_step keep_message(struct sink_connection *connection)
{
    struct sink_session *session = &connection->session;
    struct sink_counts *counts = &connection->sink->counts;
    bool is_kept = sink_store_keep(connection->sink->store, session, connection->peer,
                                   stream_describe_tls(connection->stream)) == 0;

    if (is_kept) {
        counts->n_messages++;
        counts->n_recipients += session->n_recipients;
        counts->n_octets += sink_session_message(session).len;
        counts->last_utc_ms = clock_utc_ms();
        if (!counts->first_utc_ms)
            counts->first_utc_ms = counts->last_utc_ms;
    }
    return sink_session_kept(session, is_kept);
}

/* Does what the step asks for, and the steps that follow at once.  False: the connection is gone.
 */
static bool carry_out(struct sink_connection *connection, enum sink_step step)
{
    bool is_alive = true;

    if (step == SINK_STEP_MESSAGE)
        step = keep_message(connection);
    is_alive = step != SINK_STEP_DROP && flush_output(connection);
    if (is_alive && step == SINK_STEP_WAIT) {
        connection->is_waiting = true;
        stream_pause(connection->stream);
        timer_set(&connection->wait, connection->session.wait_ms);
    } else if (is_alive && step == SINK_STEP_START_TLS) {
        is_alive = stream_start_tls_server(connection->stream, connection->sink->tls) == 0;
    } else if (is_alive && step == SINK_STEP_CLOSE) {
        connection->is_closing = true;
        leave(connection);
        stream_close_when_written(connection->stream);
    }
    if (!is_alive)
        connection_free(connection);
    return is_alive;
}

static void on_input(void *owner)
{
    struct sink_connection *connection = owner;
    struct slice input;
    size_t before;
    enum sink_step step;

    timer_set(&connection->idle, SINK_IDLE_MS);
    while (!connection->is_waiting && !connection->is_closing) {
        input = stream_input(connection->stream);
        before = input.len;
        step = sink_session_feed(session_now(connection), &input);
        stream_consume(connection->stream, before - input.len);
        if (!carry_out(connection, step) || step == SINK_STEP_MORE || step == SINK_STEP_START_TLS)
            return;
    }
}

static void on_wait_over(struct timer *timer)
{
    struct sink_connection *connection = CONTAINER_OF(timer, struct sink_connection, wait);

    connection->is_waiting = false;
    if (carry_out(connection, sink_session_waited(session_now(connection))) &&
        !connection->is_waiting)
        stream_resume(connection->stream);
}

static void on_idle(struct timer *timer)
{
    connection_free(CONTAINER_OF(timer, struct sink_connection, idle));
}

static void on_secured(void *owner)
{
    struct sink_connection *connection = owner;

    connection->sink->counts.n_secured++;
    sink_session_secured(&connection->session);
}

static void on_end(void *owner, enum stream_end why, const char *detail)
{
    (void)why;
    (void)detail;
    connection_free(owner);
}

static const struct stream_handlers handlers = {
    .on_input = on_input,
    .on_secured = on_secured,
    .on_end = on_end,
};

/* How many have that peer's address, and how many that listener's. */
static void count_neighbours(const struct sink *sink, struct sink_place *place)
{
    LIST_FOR_EACH(links, &sink->connections)
    {
        const struct sink_connection *other = CONTAINER_OF(links, struct sink_connection, links);

        if (other->has_left)
            continue;
        place->n_open_of_peer += strcmp(other->session.place.peer, place->peer) == 0;
        place->n_open_at_listener += strcmp(other->session.place.listener, place->listener) == 0;
    }
}

static void find_place(struct sink_connection *connection, int fd,
                       const struct socket_address *peer)
{
    struct sink_place *place = &connection->session.place;
    struct socket_address local = {.len = sizeof(local.storage)};

    place->connection = connection->sink->counts.n_connections;
    ip_print(socket_address_ip(peer), place->peer);
    if (getsockname(fd, &local.any, &local.len) == 0)
        ip_print(socket_address_ip(&local), place->listener);
}

static struct sink_connection *connection_new(struct sink *sink, int fd,
                                              const struct socket_address *peer)
{
    struct sink_connection *connection = calloc(1, sizeof(*connection));

    if (!connection) {
        close(fd);
        return NULL;
    }
    if (stream_new(&connection->stream, sink->loop, fd, &handlers, connection)) {
        free(connection);
        return NULL;
    }
    connection->sink = sink;
    socket_address_print(peer, connection->peer);
    sink_session_init(&connection->session, sink->script, sink->tls != NULL);
    connection->session.trace = sink->trace;
    find_place(connection, fd, peer);
    timer_init(&connection->wait, sink->loop, on_wait_over);
    timer_init(&connection->idle, sink->loop, on_idle);
    timer_set(&connection->idle, SINK_IDLE_MS);
    list_append(&sink->connections, &connection->links);
    if (sink->script) /* nobody else asks */
        count_neighbours(sink, &connection->session.place);
    return connection;
}

void sink_on_accept(void *owner, int fd, const struct socket_address *peer)
{
    struct sink *sink = owner;
    struct sink_connection *connection;

    if (sink->counts.n_open == SINK_MAX_CONNECTIONS) {
        close(fd);
        return;
    }
    sink->counts.n_connections++;
    connection = connection_new(sink, fd, peer);
    if (!connection)
        return;
    if (++sink->counts.n_open > sink->counts.most_open)
        sink->counts.most_open = sink->counts.n_open;
    carry_out(connection, sink_session_greet(session_now(connection)));
}

void sink_close_all(struct sink *sink)
{
    LIST_FOR_EACH(links, &sink->connections)
    connection_free(CONTAINER_OF(links, struct sink_connection, links));
}
