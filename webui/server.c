#include "webui/server.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/base/secret.h"
#include "webui/framing.h"
#include "webui/guard.h"
#include "webui/jobs.h"
#include "webui/page.h"
#include "webui/routes.h"
#include "webui/server_answer.h"
#include "webui/server_guest.h"
#include "webui/server_request.h"

enum {
    MAX_CONNECTIONS = 256,
    CONNECTION_MEMORY = 32 * 1024,
    CONNECTION_TIMEOUT_S = 60, /* of silence */
    CONNECTION_TIMEOUT_MS = CONNECTION_TIMEOUT_S * 1000,
    SEND_MS = 120000,     /* and its answer taken */
    STREAM_END_MS = 2000, /* and the end of a stream */
};

/* ---- one exchange ---- */

static enum MHD_Result send_answer(struct exchange *exchange)
{
    guest_expect(exchange->connection, SEND_MS);
    return server_send(exchange);
}

void server_answered(struct exchange *exchange)
{
    if (!exchange->is_suspended)
        return;
    exchange->is_suspended = false;
    exchange->webui->n_waiting--;
    MHD_resume_connection(exchange->connection);
}

/* ---- answers without an end (live.h) ---- */

static ssize_t read_stream(void *cls, uint64_t position, char *out, size_t size)
{
    struct live_stream *stream = cls;
    long n = live_stream_read(stream, out, size);

    (void)position;
    if (n < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0)
        MHD_suspend_connection(stream->connection);
    return n;
}

void server_wake_stream(const struct live_stream *stream)
{
    MHD_resume_connection(stream->connection);
}

void server_end_stream(const struct live_stream *stream)
{
    if (stream->connection)
        guest_expect(stream->connection, STREAM_END_MS);
}

bool server_stream_is_left(const struct live_stream *stream)
{
    char byte;

    return stream->connection &&
           recv(guest_fd(stream->connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static enum MHD_Result send_stream(struct exchange *exchange)
{
    enum { BLOCK_BYTES = 16384 };
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, exchange->stream, NULL);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    exchange->stream->connection = exchange->connection;
    exchange->content_type = "text/event-stream";
    server_add_headers(exchange, response);
    MHD_add_response_header(response, "Content-Type", exchange->content_type);
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    guest_expect(exchange->connection, -1);
    result = MHD_queue_response(exchange->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result finish_request(struct exchange *exchange)
{
    if (exchange->is_dispatched)
        return exchange->status ? send_answer(exchange) : MHD_YES;
    exchange->is_dispatched = true;
    guest_expect(exchange->connection, -1); /* from here on we are the slow ones */
    if (exchange->webui->is_stopping)
        exchange_problem(exchange, 503, "stopping", "The service is stopping.");
    else if (exchange_read_body(exchange))
        routes_dispatch(exchange);
    if (exchange->stream)
        return send_stream(exchange);
    if (exchange->status)
        return send_answer(exchange);
    exchange->is_suspended = true;
    exchange->webui->n_waiting++;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

/* False: a chunked body that does not end is not read to its end. */
static bool take_upload(struct exchange *exchange, struct slice bytes)
{
    exchange->n_uploaded += bytes.len;
    if (!exchange->status)
        buffer_append(&exchange->upload, bytes);
    return exchange->n_uploaded <= 2 * (size_t)EXCHANGE_MAX_BODY;
}

static enum MHD_Result handle(struct webui *webui, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *upload_data,
                              size_t *upload_size, void **context, enum door door)
{
    struct exchange *exchange = *context;

    if (!exchange) {
        exchange = server_begin(webui, connection, url, door);
        *context = exchange;
        if (!exchange || !exchange->path || !exchange->queries)
            return MHD_NO;
        if (!server_judge_framing(exchange))
            return send_answer(exchange);
        server_judge_request(exchange, method);
        return MHD_YES;
    }
    if (*upload_size) {
        bool may_go_on = take_upload(exchange, slice_from(upload_data, *upload_size));

        *upload_size = 0;
        return may_go_on ? MHD_YES : MHD_NO;
    }
    return finish_request(exchange);
}

static enum MHD_Result handle_local(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_size, void **context)
{
    (void)version;
    return handle(cls, connection, url, method, upload_data, upload_size, context, DOOR_SOCKET);
}

static enum MHD_Result handle_plain(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_size, void **context)
{
    (void)version;
    return handle(cls, connection, url, method, upload_data, upload_size, context, DOOR_PLAIN);
}

static enum MHD_Result handle_tls(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_size, void **context)
{
    (void)version;
    return handle(cls, connection, url, method, upload_data, upload_size, context, DOOR_TLS);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *context;

    (void)cls;
    (void)why;
    guest_expect(connection, GUEST_RECEIVE_MS); /* for the next request on it */
    if (!exchange)
        return;
    exchange_free(exchange);
    *context = NULL;
}

/* ---- the daemons ---- */

static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return framing_unescape(text);
}

/* What the library has to say is about clients, who are free to vanish. */
__attribute__((format(printf, 2, 0))) static void log_library(void *cls, const char *format,
                                                              va_list args)
{
    char sentence[256];

    (void)cls;
    vsnprintf(sentence, sizeof(sentence), format, args);
    log_debug("http", "%s", sentence);
}

static const MHD_AccessHandlerCallback handlers[] = {
    [DOOR_SOCKET] = handle_local, [DOOR_PLAIN] = handle_plain, [DOOR_TLS] = handle_tls};

/* RFC 9325: TLS 1.2 and 1.3, forward secrecy and AEAD only. */
#define TLS_PRIORITIES                                                                             \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:"            \
    "+CHACHA20-POLY1305:+AEAD:+SIGN-ALL:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:+GROUP-ALL:"               \
    "+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE"

static struct MHD_Daemon *start_daemon(struct webui *webui, int fd, enum door door,
                                       const struct server_identity *identity)
{
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT,   0, identity ? (void *)identity->certificate : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY,    0, identity ? (void *)identity->key : NULL        },
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES                         },
        {MHD_OPTION_END,              0, NULL                                           },
    };
    const struct MHD_OptionItem none[] = {
        {MHD_OPTION_END, 0, NULL}
    };

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (door == DOOR_TLS ? MHD_USE_TLS : 0),
        0, door == DOOR_SOCKET ? NULL : guest_judge_peer, webui, handlers[door], webui,
        MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, guest_on_connection, webui, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_ARRAY, door == DOOR_TLS ? tls : none, MHD_OPTION_END);
}

int server_open(struct webui *webui, int listen_fd, bool is_local,
                const struct server_identity *identity)
{
    int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0); /* the library closes the one it is given */
    struct MHD_Daemon *daemon;

    if (fd < 0)
        return FAULT(-errno);
    daemon = start_daemon(webui, fd,
                          is_local   ? DOOR_SOCKET
                          : identity ? DOOR_TLS
                                     : DOOR_PLAIN,
                          identity);
    if (!daemon) {
        close(fd);
        return FAULT(-EIO);
    }
    webui->is_retired[webui->n_daemons] = false;
    webui->daemons[webui->n_daemons++] = daemon;
    return 0;
}

/* Those that no connection holds any more. */
static void stop_retired(struct webui *webui)
{
    for (unsigned i = webui->n_daemons; i-- > 0;) {
        if (!webui->is_retired[i] ||
            MHD_get_daemon_info(webui->daemons[i], MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
                ->num_connections)
            continue;
        MHD_stop_daemon(webui->daemons[i]);
        webui->n_daemons--;
        for (unsigned k = i; k < webui->n_daemons; k++) {
            webui->daemons[k] = webui->daemons[k + 1];
            webui->is_retired[k] = webui->is_retired[k + 1];
        }
    }
}

static bool is_tls(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_FLAGS)->flags & MHD_USE_TLS;
}

int server_renew(struct webui *webui, const struct server_identity *identity)
{
    unsigned n_before;
    int error;

    stop_retired(webui);
    n_before = webui->n_daemons;
    if (n_before == WEBUI_MAX_DAEMONS)
        return -EBUSY;
    error = server_open(webui, webui->panel_fd, false, identity);
    for (unsigned i = 0; error == 0 && i < n_before; i++)
        if (is_tls(webui->daemons[i]) && !webui->is_retired[i]) {
            int fd = MHD_quiesce_daemon(webui->daemons[i]);

            webui->is_retired[i] = true;
            if (fd != MHD_INVALID_SOCKET)
                close(fd);
        }
    return error;
}

void server_close_all(struct webui *webui)
{
    while (webui->n_daemons > 0)
        MHD_stop_daemon(webui->daemons[--webui->n_daemons]);
}

static int shortest_timeout(struct webui *webui)
{
    int shortest = list_is_empty(&webui->guests) ? CONNECTION_TIMEOUT_MS : GUEST_SWEEP_MS;
    int others[] = {pulse_timeout_ms(&webui->pulse), live_timeout_ms(&webui->live),
                    jobs_timeout_ms(&webui->jobs)};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] < shortest)
            shortest = others[i];
    for (unsigned i = 0; i < webui->n_daemons; i++) {
        MHD_UNSIGNED_LONG_LONG ms;

        if (MHD_get_timeout(webui->daemons[i], &ms) == MHD_YES &&
            (shortest < 0 || ms < (unsigned)shortest))
            shortest = ms > CONNECTION_TIMEOUT_MS ? CONNECTION_TIMEOUT_MS : (int)ms;
    }
    return shortest;
}

void server_turn(struct webui *webui)
{
    struct pollfd fds[WEBUI_MAX_DAEMONS + 1] = {
        {mailbox_fd(webui->mailbox), POLLIN, 0}
    };

    for (unsigned i = 0; i < webui->n_daemons; i++)
        fds[i + 1] = (struct pollfd){
            MHD_get_daemon_info(webui->daemons[i], MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0};
    poll(fds, webui->n_daemons + 1, shortest_timeout(webui));
    mailbox_run(webui->mailbox);
    pulse_turn(&webui->pulse);
    live_turn(&webui->live);
    if (guest_sweep(webui)) {
        stop_retired(webui);
        if (webui->is_renewal_due)
            webui_renew(webui);
    }
    jobs_turn(&webui->jobs);
    for (unsigned i = 0; i < webui->n_daemons; i++)
        MHD_run(webui->daemons[i]);
}
