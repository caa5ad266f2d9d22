/* Tokens of programs, open sessions, and who changed what. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/base/clock.h"
#include "webui/guard.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

enum { MOST_NAME = 100, MOST_AUDIT = 500, USUAL_AUDIT = 100, MOST_SCOPES = 40 };

/* ---- tokens ---- */

#define TOKEN_PREFIX "stf_" /* by which scanners for leaked secrets know them */

enum { TOKEN_BYTES = 32, TOKEN_SIZE = sizeof(TOKEN_PREFIX) + (size_t)2 * TOKEN_BYTES };

struct token_call {
    struct access_request access; /* first */
    char secret[TOKEN_SIZE];
    uint8_t hash[DIGEST_BYTES];
};

static json_t *words_json(struct slice words)
{
    json_t *list = json_array();

    while (words.len) {
        ptrdiff_t blank = slice_find(words, ' ');
        size_t len = blank < 0 ? words.len : (size_t)blank;

        json_array_append_new(list, json_slice(slice_head(words, len)));
        words = slice_skip(words, len + 1);
    }
    return list;
}

static json_t *token_json(const struct access_token *token)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (int)token->id, "name",
                     json_slice(token->name), "scopes", words_json(token->scopes), "created",
                     json_time(token->created_utc_ms), "by", json_slice(token->by), "expires",
                     json_time(token->expires_utc_ms), "networks", words_json(token->networks),
                     "last_used", json_time(token->last_used_utc_ms));
}

void api_tokens_list(struct exchange *exchange)
{
    const struct access_book *book = exchange->webui->access.book;
    json_t *items = json_array();

    for (uint32_t i = 0; book && i < book->n_tokens; i++)
        json_array_append_new(items, token_json(&book->tokens[i]));
    exchange_answer_items(exchange, items, NULL);
}

static void on_token(struct registry_request *base)
{
    struct token_call *call = (struct token_call *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);
    const struct access_token *token;
    json_t *body;

    access_take_book(&exchange->webui->access, &call->access);
    if (!registry_call_went_well(base)) {
        secret_wipe(call->secret, sizeof(call->secret));
        return;
    }
    token = access_book_token(exchange->webui->access.book, call->hash);
    body = token ? token_json(token) : json_object();
    json_object_set_new(body, "secret", json_string(call->secret));
    secret_wipe(call->secret, sizeof(call->secret));
    exchange_answer(exchange, 201, body);
}

static bool is_a_scope(struct slice word)
{
    const struct route_table *table;

    for (size_t t = 0; (table = routes_table(t)); t++)
        for (size_t i = 0; i < table->n_routes; i++)
            if (table->routes[i].scope && slice_equal(slice_of(table->routes[i].scope), word))
                return true;
    return false;
}

static bool is_a_network(struct slice word)
{
    struct network network;

    return network_parse(word, &network);
}

/* The texts of a list, each good, separated by blanks; false after answering. */
static bool join_texts(struct exchange *exchange, const char *name,
                       bool (*is_good)(struct slice word), const char *complaint, struct slice *out)
{
    CLEANUP(buffer) struct buffer words = BUFFER_INIT;
    const struct slice *texts;
    int n = exchange_texts(exchange, name, &texts);

    for (int i = 0; i < n; i++) {
        if (!is_good(texts[i]) || n > MOST_SCOPES) {
            exchange_problem(exchange, 422, "bad_field", complaint);
            return false;
        }
        if (i)
            buffer_append_byte(&words, ' ');
        buffer_append(&words, texts[i]);
    }
    *out = arena_copy(&exchange->arena, buffer_slice(&words));
    return n >= 0 && out->data;
}

static void make_token(struct token_call *call)
{
    uint8_t bytes[TOKEN_BYTES];
    int at = snprintf(call->secret, sizeof(call->secret), TOKEN_PREFIX);

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(call->secret + at + 2 * i, 3, "%02x", bytes[i]);
    plain_digest(call->hash, slice_of(call->secret));
    secret_wipe(bytes, sizeof(bytes));
}

static bool read_token(struct exchange *exchange, struct access_request *access)
{
    json_t *seconds = json_object_get(exchange->body, "expires_seconds");
    json_int_t span = json_integer_value(seconds);

    if (!join_texts(exchange, "scopes", is_a_scope, "There is no such scope.", &access->scopes) ||
        !join_texts(exchange, "networks", is_a_network, "A network is written as CIDR.",
                    &access->networks))
        return false;
    if (!access->scopes.len || (seconds && (span < 60 || span > (json_int_t)10 * 366 * 86400))) {
        exchange_problem(exchange, 422, "bad_field",
                         "A token has one scope at least, and ends within ten years or never.");
        return false;
    }
    access->until_utc_ms = seconds ? clock_utc_ms() + (int64_t)span * 1000 : 0;
    return true;
}

void api_tokens_add(struct exchange *exchange)
{
    const char *name = exchange_expect_text(exchange, "name");
    struct token_call *call = name ? registry_call_memory(exchange, sizeof(*call)) : NULL;

    if (!call || !read_token(exchange, &call->access))
        return;
    registry_call_begin(exchange, &call->access.request, on_token);
    call->access.name = slice_head(slice_of(name), MOST_NAME);
    make_token(call);
    call->access.hash = slice_from(call->hash, sizeof(call->hash));
    if (!registry_access(exchange->webui->parts.registry, ACCESS_ADD_TOKEN, &call->access))
        exchange_busy(exchange);
}

static void on_token_deleted(struct registry_request *base)
{
    struct exchange *exchange = registry_call_exchange(base);

    access_take_book(&exchange->webui->access, (struct access_request *)(void *)base);
    registry_call_done(base);
}

/* The number that the path names; false after answering 404. */
static bool read_id(struct exchange *exchange, int64_t *id)
{
    uint64_t number;

    if (slice_to_number(exchange->argument, INT64_MAX, &number)) {
        *id = (int64_t)number;
        return true;
    }
    exchange_problem(exchange, 404, "not_found", "There is nothing of that number.");
    return false;
}

void api_token_delete(struct exchange *exchange)
{
    struct access_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request || !read_id(exchange, &request->id))
        return;
    registry_call_begin(exchange, &request->request, on_token_deleted);
    if (!registry_access(exchange->webui->parts.registry, ACCESS_DELETE_TOKEN, request))
        exchange_busy(exchange);
}

/* ---- sessions: one's own, an administrator's also everybody's ---- */

static bool may_see(const struct exchange *exchange, const struct panel_session *session)
{
    return guard_is(exchange, FOR_OWNER) ||
           account_equal(session->row.account, exchange->caller.account);
}

static json_t *open_session_json(const struct exchange *exchange,
                                 const struct panel_session *session)
{
    struct slice name = {"", 0};
    enum admin_role role;

    (void)access_account_name(exchange->webui, session->row.account, &name, &role);
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:b}", "id", (json_int_t)session->row.id,
                     "user", json_slice(name), "kind", account_kind_name(session->row.account.kind),
                     "from", json_slice(slice_of(session->row.address)), "agent",
                     json_slice(slice_of(session->row.agent)), "created",
                     json_time(session->row.created_utc_ms), "last_seen",
                     json_time(session->row.seen_utc_ms), "current",
                     (int)(session->row.id == exchange->caller.session_id));
}

void api_sessions_list(struct exchange *exchange)
{
    json_t *items = json_array();

    LIST_FOR_EACH(links, &exchange->webui->access.sessions)
    {
        struct panel_session *session = CONTAINER_OF(links, struct panel_session, links);

        if (may_see(exchange, session))
            json_array_append_new(items, open_session_json(exchange, session));
    }
    exchange_answer_items(exchange, items, NULL);
}

void api_sessions_delete(struct exchange *exchange)
{
    struct panel_session *session;
    int64_t id;

    if (!read_id(exchange, &id))
        return;
    session = access_session(&exchange->webui->access, id);
    if (!session || !may_see(exchange, session)) {
        exchange_problem(exchange, 404, "not_found", "There is no such session.");
        return;
    }
    access_end_session(exchange->webui, session);
    exchange_answer(exchange, 204, NULL);
}

/* ---- who changed what ---- */

static json_t *json_or_null(struct slice text)
{
    json_t *value = text.len ? json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL) : NULL;

    return value ? value : json_null();
}

static json_t *row_json(struct reader *reader, uint64_t *id)
{
    struct slice columns[AUDIT_COLUMNS];
    uint64_t at;

    *id = reader_u64(reader);
    at = reader_u64(reader);
    for (int i = 0; i < AUDIT_COLUMNS; i++)
        columns[i] = reader_counted(reader);
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)*id, "at",
                     json_time((int64_t)at), "who", json_slice(columns[0]), "from",
                     json_slice(columns[1]), "action", json_slice(columns[2]), "object",
                     json_slice(columns[3]), "before", json_or_null(columns[4]), "after",
                     json_or_null(columns[5]));
}

static void on_audit(struct registry_request *base)
{
    struct audit_list_request *request = (struct audit_list_request *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);
    struct reader reader = {.rest = buffer_slice(&request->rows)};
    json_t *items = json_array();
    char cursor[24];
    uint64_t id = 0;

    for (uint32_t i = 0; i < request->n_rows && !reader.failed; i++)
        json_array_append_new(items, row_json(&reader, &id));
    (void)snprintf(cursor, sizeof(cursor), "%llu", (unsigned long long)id);
    buffer_fini(&request->rows);
    if (registry_call_went_well(base))
        exchange_answer_items(exchange, items, request->has_more ? cursor : NULL);
    else
        json_decref(items);
}

void api_audit(struct exchange *exchange)
{
    struct audit_list_request *request = registry_call_memory(exchange, sizeof(*request));
    const char *cursor = exchange_query(exchange, "cursor");
    const char *limit = exchange_query(exchange, "limit");
    uint64_t below = INT64_MAX, most = USUAL_AUDIT;

    if (!request)
        return;
    if ((cursor && !slice_to_number(slice_of(cursor), INT64_MAX, &below)) ||
        (limit && (!slice_to_number(slice_of(limit), MOST_AUDIT, &most) || !most))) {
        exchange_problem(exchange, 422, "bad_query", "The cursor or the limit is no good.");
        return;
    }
    registry_call_begin(exchange, &request->request, on_audit);
    request->below_id = (int64_t)below;
    request->most = (uint32_t)most;
    if (!registry_audit_list(exchange->webui->parts.registry, request))
        exchange_busy(exchange);
}
