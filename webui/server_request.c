#include "webui/server_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "webui/framing.h"
#include "webui/guard.h"
#include "webui/page.h"
#include "webui/routes.h"

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

static void name_peer(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct socket_address address = {.len = sizeof(struct sockaddr_in6)};
    char text[IP_TEXT_SIZE];

    if (!info || !info->client_addr)
        return;
    memcpy(&address.storage, info->client_addr,
           info->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                   : sizeof(struct sockaddr_in6));
    exchange->peer = socket_address_ip(&address);
    (void)snprintf(exchange->from, sizeof(exchange->from), "%s", ip_print(exchange->peer, text));
}

static void name_asker(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info;
    struct ucred credentials;
    socklen_t len = sizeof(credentials);

    if (!exchange->is_local) {
        name_peer(exchange);
        return;
    }
    (void)snprintf(exchange->from, sizeof(exchange->from), "socket");
    info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0)
        snprintf(exchange->by, sizeof(exchange->by), "uid %u", (unsigned)credentials.uid);
}

static char *field(struct exchange *exchange, const char *name)
{
    const char *value = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);

    /* The copy is the arena's, and this file's alone to change: secrets are wiped in it. */
    return value ? (char *)arena_copy(&exchange->arena, slice_of(value)).data : NULL;
}

static void collect_fields(struct exchange *exchange)
{
    struct exchange_fields *fields = &exchange->fields;

    fields->cookie = field(exchange, "Cookie");
    fields->authorization = field(exchange, "Authorization");
    fields->host = field(exchange, "Host");
    fields->origin = field(exchange, "Origin");
    fields->fetch_site = field(exchange, "Sec-Fetch-Site");
    fields->content_type = field(exchange, "Content-Type");
    fields->staffetta = field(exchange, "X-Staffetta");
    fields->agent = field(exchange, "User-Agent");
    fields->if_none_match = field(exchange, "If-None-Match");
    fields->accept = field(exchange, "Accept");
    fields->accept_encoding = field(exchange, "Accept-Encoding");
    fields->accept_language = field(exchange, "Accept-Language");
    fields->last_event_id = field(exchange, "Last-Event-ID");
}

static enum MHD_Result collect_query(void *cls, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct exchange *exchange = cls;
    struct query_value *query = &exchange->queries[exchange->n_queries];

    (void)kind;
    query->name = arena_copy(&exchange->arena, slice_of(name)).data;
    query->value = arena_copy(&exchange->arena, slice_of(value ? value : "")).data;
    if (query->name && query->value)
        exchange->n_queries++;
    return exchange->n_queries < EXCHANGE_MAX_QUERIES ? MHD_YES : MHD_NO;
}

struct exchange *server_begin(struct webui *webui, struct MHD_Connection *connection,
                              const char *path, enum door door)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (!exchange)
        return NULL;
    exchange->webui = webui;
    exchange->connection = connection;
    exchange->is_local = door == DOOR_SOCKET;
    exchange->is_secure = door == DOOR_TLS;
    arena_init(&exchange->arena, EXCHANGE_MEMORY);
    buffer_init(&exchange->upload, EXCHANGE_MAX_BODY);
    exchange->path = arena_copy(&exchange->arena, slice_of(path)).data;
    exchange->queries =
        arena_alloc(&exchange->arena, EXCHANGE_MAX_QUERIES * sizeof(*exchange->queries));
    if (exchange->queries)
        MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect_query, exchange);
    name_asker(exchange);
    exchange->fields.if_match = field(exchange, "If-Match");
    exchange->fields.idempotency_key = field(exchange, "Idempotency-Key");
    if (!exchange->is_local)
        collect_fields(exchange);
    slice_copy_to(
        slice_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID")),
        exchange->last_event, sizeof(exchange->last_event));
    return exchange;
}

static enum MHD_Result note_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    framing_note(cls, name, value);
    return MHD_YES;
}

bool server_judge_framing(struct exchange *exchange)
{
    struct framing framing = {0};
    struct framing_verdict verdict;

    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, note_header, &framing);
    verdict = framing_judge(&framing, EXCHANGE_MAX_BODY);
    exchange->fields.has_body = framing.content_length > 0 || framing.n_transfer_encoding > 0;
    if (verdict.status)
        exchange_problem(exchange, verdict.status, verdict.code, verdict.detail);
    return verdict.status == 0;
}

/* Over TCP: what is not for us, a file of the panel, or what the guard has a word about. */
static void judge_remote(struct exchange *exchange, bool is_known)
{
    if (!guard_host(exchange) || !is_known)
        return;
    if (exchange->method != HTTP_GET || !page_answer(exchange))
        (void)routes_admit(exchange);
}

void server_judge_request(struct exchange *exchange, const char *method)
{
    bool is_known = parse_method(method, &exchange->method);

    exchange->is_head = strcmp(method, "HEAD") == 0;
    is_known |= exchange->is_head; /* the library leaves the body out */

    if (!exchange->is_local)
        judge_remote(exchange, is_known);
    if (!exchange->status && !is_known) {
        exchange->allow = "GET, HEAD, POST, DELETE";
        exchange_problem(exchange, 405, "method_not_allowed", "GET, HEAD, POST and DELETE only.");
    }
    exchange->is_dispatched = exchange->status != 0;
}
