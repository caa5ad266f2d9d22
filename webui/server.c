#include "webui/server.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webui/routes.h"

enum {
    MAX_CONNECTIONS = 256,
    CONNECTION_MEMORY = 32 * 1024,
    CONNECTION_TIMEOUT_S = 60,
};

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- guards: libmicrohttpd 0.9.75 lets pass what request smuggling is made of ---- */

struct framing {
    unsigned n_content_length, n_transfer_encoding, n_host, n_authorization;
    bool is_encoded;
};

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct framing *framing = cls;

    (void)kind;
    (void)value;
    framing->n_content_length += strcasecmp(name, "Content-Length") == 0;
    framing->n_transfer_encoding += strcasecmp(name, "Transfer-Encoding") == 0;
    framing->n_host += strcasecmp(name, "Host") == 0;
    framing->n_authorization += strcasecmp(name, "Authorization") == 0;
    framing->is_encoded |= strcasecmp(name, "Content-Encoding") == 0;
    return MHD_YES;
}

static bool is_well_framed(struct MHD_Connection *connection)
{
    struct framing framing = {0};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &framing);
    return framing.n_content_length + framing.n_transfer_encoding <= 1 && framing.n_host <= 1 &&
           framing.n_authorization <= 1 && !framing.is_encoded;
}

/* ---- one exchange ---- */

static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        exchange->text_len, exchange->text ? exchange->text : (char[]){""}, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (exchange->text)
        MHD_add_response_header(response, "Content-Type", exchange->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (exchange->status >= 400)
        MHD_add_response_header(response, "Connection", "close");
    result = MHD_queue_response(exchange->connection, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

void server_answered(struct exchange *exchange)
{
    if (!exchange->is_suspended)
        return;
    exchange->is_suspended = false;
    exchange->webui->n_waiting--;
    MHD_resume_connection(exchange->connection);
}

static bool read_body(struct exchange *exchange)
{
    json_error_t error;
    char detail[256];

    if (exchange->upload.failed) {
        exchange_problem(exchange, 413, "too_large", "The body is above 1 MiB.");
        return false;
    }
    if (exchange->upload.len == 0)
        return true;
    exchange->body =
        json_loadb(exchange->upload.data, exchange->upload.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(exchange->body))
        return true;
    snprintf(detail, sizeof(detail), "The body is no JSON object: %s",
             exchange->body ? "another type" : error.text);
    exchange_problem(exchange, 400, "bad_json", detail);
    return false;
}

static enum MHD_Result finish_request(struct exchange *exchange)
{
    if (!exchange->is_dispatched) {
        exchange->is_dispatched = true;
        if (read_body(exchange))
            routes_dispatch(exchange);
        if (!exchange->status) {
            exchange->is_suspended = true;
            exchange->webui->n_waiting++;
            MHD_suspend_connection(exchange->connection);
            return MHD_YES;
        }
    }
    return exchange->status ? send_answer(exchange) : MHD_YES;
}

static bool parse_method(const char *word, enum http_method *out)
{
    static const char *const words[N_HTTP_METHODS] = {"GET", "POST", "DELETE"};

    for (unsigned i = 0; i < N_HTTP_METHODS; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (enum http_method)i;
            return true;
        }
    return false;
}

static void name_asker(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred credentials;
    socklen_t len = sizeof(credentials);

    if (exchange->is_local && info &&
        getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0)
        snprintf(exchange->by, sizeof(exchange->by), "uid %u", (unsigned)credentials.uid);
}

static struct exchange *begin(struct webui *webui, struct MHD_Connection *connection,
                              const char *path, bool is_local)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        return NULL;
    exchange->webui = webui;
    exchange->connection = connection;
    exchange->is_local = is_local;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    exchange->path = arena_copy(&exchange->arena, slice_of(path)).data;
    name_asker(exchange);
    return exchange;
}

static enum MHD_Result handle(struct webui *webui, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *upload_data,
                              size_t *upload_size, void **context, bool is_local)
{
    struct exchange *exchange = *context;

    if (!exchange) {
        exchange = begin(webui, connection, url, is_local);
        *context = exchange;
        if (!exchange || !exchange->path)
            return MHD_NO;
        if (!is_well_framed(connection))
            exchange_problem(exchange, 400, "bad_framing", "Contradicting or repeated headers.");
        else if (!parse_method(method, &exchange->method))
            exchange_problem(exchange, 405, "method_not_allowed", "GET, POST and DELETE only.");
        exchange->is_dispatched = exchange->status != 0;
        return MHD_YES;
    }
    if (*upload_size) {
        buffer_append(&exchange->upload, slice_from(upload_data, *upload_size));
        *upload_size = 0;
        return MHD_YES;
    }
    return finish_request(exchange);
}

static enum MHD_Result handle_local(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_size, void **context)
{
    (void)version;
    return handle(cls, connection, url, method, upload_data, upload_size, context, true);
}

static enum MHD_Result handle_remote(void *cls, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version,
                                     const char *upload_data, size_t *upload_size, void **context)
{
    (void)version;
    return handle(cls, connection, url, method, upload_data, upload_size, context, false);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *context;

    (void)cls;
    (void)connection;
    (void)why;
    if (!exchange)
        return;
    json_decref(exchange->body);
    buffer_fini(&exchange->upload);
    free(exchange->text);
    arena_reset(&exchange->arena);
    free(exchange);
    *context = NULL;
}

/* ---- the daemons ---- */

int server_open(struct webui *webui, int listen_fd, bool is_local)
{
    int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0); /* the library closes the one it is given */
    struct MHD_Daemon *daemon;

    if (fd < 0)
        return FAULT(-errno);
    daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                              is_local ? handle_local : handle_remote, webui,
                              MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                              (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
                              (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                              MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!daemon) {
        close(fd);
        return FAULT(-EIO);
    }
    webui->daemons[webui->n_daemons++] = daemon;
    return 0;
}

void server_close_all(struct webui *webui)
{
    while (webui->n_daemons > 0)
        MHD_stop_daemon(webui->daemons[--webui->n_daemons]);
}

static int shortest_timeout(struct webui *webui)
{
    int shortest = -1;

    for (unsigned i = 0; i < webui->n_daemons; i++) {
        MHD_UNSIGNED_LONG_LONG ms;

        if (MHD_get_timeout(webui->daemons[i], &ms) == MHD_YES &&
            (shortest < 0 || ms < (unsigned)shortest))
            shortest = ms > CONNECTION_TIMEOUT_S * 1000 ? CONNECTION_TIMEOUT_S * 1000 : (int)ms;
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
    for (unsigned i = 0; i < webui->n_daemons; i++)
        MHD_run(webui->daemons[i]);
}
