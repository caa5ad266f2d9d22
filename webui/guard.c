#include "webui/guard.h"

#include <stdio.h>

#include "relay/base/clock.h"
#include "relay/base/log.h"
#include "relay/net/socket_address.h"
#include "webui/request_fields.h"

static bool refuse(struct exchange *exchange, unsigned status, const char *code, const char *detail)
{
    exchange_problem(exchange, status, code, detail);
    return false;
}

static bool refuse_needs(struct exchange *exchange, const char *code, const char *detail,
                         const char *needs)
{
    exchange_problem_with(exchange, 403, code, detail, json_pack("{s:s}", "needs", needs));
    return false;
}

/* ---- who ---- */

static void name_caller(struct exchange *exchange, struct slice name)
{
    slice_copy_to(name, exchange->by, sizeof(exchange->by));
}

static bool word_is_in(struct slice words, struct slice word)
{
    while (words.len) {
        ptrdiff_t blank = slice_find(words, ' ');
        size_t len = blank < 0 ? words.len : (size_t)blank;

        if (slice_equal(slice_head(words, len), word))
            return true;
        words = slice_skip(words, len + 1);
    }
    return false;
}

static bool token_may_come_from(const struct access_token *token, struct ip_address peer)
{
    struct slice rest = token->networks;

    while (rest.len) {
        ptrdiff_t blank = slice_find(rest, ' ');
        size_t len = blank < 0 ? rest.len : (size_t)blank;
        struct network network;

        if (network_parse(slice_head(rest, len), &network) && network_contains(&network, peer))
            return true;
        rest = slice_skip(rest, len + 1);
    }
    return token->networks.len == 0;
}

enum { TOKEN_NOTED_EVERY_MS = 60 * 1000 };

static void note_token_use(struct webui *webui, const struct access_token *token, int64_t now_ms)
{
    struct access_token *seen = (struct access_token *)token; /* of our own book */
    struct access_request *request;

    if (now_ms - token->last_used_utc_ms < TOKEN_NOTED_EVERY_MS)
        return;
    seen->last_used_utc_ms = now_ms;
    request = access_note(webui, sizeof(*request));
    if (!request)
        return;
    request->id = token->id;
    access_posted(webui, request,
                  registry_access_note(webui->parts.registry, ACCESS_NOTE_TOKEN, request));
}

/* A token is worth what its maker is: enabled, and of which role.  By name, for a deleted
 * administrator's tokens go with him; what the command line's user made is an owner's. */
static bool find_maker(const struct webui *webui, const struct access_token *token,
                       enum admin_role *role)
{
    const struct admin *admin = access_book_admin(webui->access.book, token->by);

    *role = admin ? admin->role : ROLE_OWNER;
    return admin ? admin->is_enabled : slice_starts_with(token->by, SLICE_LITERAL("uid "));
}

static bool is_good_now(const struct webui *webui, const struct access_token *token,
                        enum admin_role *role)
{
    return (!token->expires_utc_ms || token->expires_utc_ms > clock_utc_ms()) &&
           find_maker(webui, token, role);
}

static bool identify_token(struct exchange *exchange, struct slice secret)
{
    const struct access_token *token;
    int64_t now_ms = clock_utc_ms();
    uint8_t hash[DIGEST_BYTES];

    plain_digest(hash, secret);
    token = access_book_token(exchange->webui->access.book, hash);
    if (!token || !token_may_come_from(token, exchange->peer) ||
        !is_good_now(exchange->webui, token, &exchange->caller.role))
        return false;
    exchange->caller.token_id = token->id;
    exchange->caller.scopes = arena_copy(&exchange->arena, token->scopes);
    (void)snprintf(exchange->by, sizeof(exchange->by), "token %u", (unsigned)token->id);
    note_token_use(exchange->webui, token, now_ms);
    return true;
}

static bool identify_session(struct exchange *exchange, struct slice secret)
{
    struct panel_session *session = access_find_session(exchange->webui, secret);
    struct caller *caller = &exchange->caller;
    struct slice name;

    if (!session ||
        !access_account_name(exchange->webui, session->row.account, &name, &caller->role))
        return false;
    caller->session_id = session->row.id;
    caller->account = session->row.account;
    caller->is_confirmed = session->row.confirmed_utc_ms > clock_utc_ms();
    name_caller(exchange, name);
    return true;
}

bool guard_still_admits(const struct webui *webui, const struct caller *caller)
{
    const struct access_book *book = webui->access.book;
    const struct panel_session *session;
    enum admin_role role = caller->role;
    struct slice name;

    for (uint32_t i = 0; caller->token_id && book && i < book->n_tokens; i++)
        if (book->tokens[i].id == caller->token_id)
            return is_good_now(webui, &book->tokens[i], &role) && role == caller->role;
    if (!caller->session_id)
        return !caller->token_id; /* over the socket */
    session = access_session((struct access *)&webui->access, caller->session_id);
    return session && access_is_open(session) &&
           access_account_name(webui, session->row.account, &name, &role) && role == caller->role;
}

static void identify(struct exchange *exchange)
{
    struct caller *caller = &exchange->caller;
    struct slice secret;

    if (exchange->is_local) {
        *caller = (struct caller){
            .is_signed_in = true,
            .role = ROLE_OWNER,
            .is_confirmed = true,
            .account = {ACCOUNT_ADMIN, 0}
        };
        return;
    }
    if (exchange->fields.authorization)
        caller->is_signed_in = bearer_find(slice_of(exchange->fields.authorization), &secret) &&
                               identify_token(exchange, secret);
    else if (exchange->fields.cookie && cookie_find(slice_of(exchange->fields.cookie),
                                                    exchange_cookie_name(exchange), &secret))
        caller->is_signed_in = identify_session(exchange, secret);
}

/* ---- may they ---- */

static bool reaches(const struct caller *caller, enum route_level level)
{
    return (unsigned)caller->role + FOR_VIEWER >= (unsigned)level;
}

bool guard_is(const struct exchange *exchange, enum route_level level)
{
    const struct caller *caller = &exchange->caller;

    return caller->is_signed_in && !caller->token_id && caller->account.kind == ACCOUNT_ADMIN &&
           reaches(caller, level);
}

bool guard_is_for(const struct exchange *exchange, enum route_level level, struct slice scope)
{
    struct slice rest = exchange->caller.scopes;

    if (!exchange->caller.token_id)
        return guard_is(exchange, level);
    while (rest.len && !slice_starts_with(rest, scope)) {
        ptrdiff_t blank = slice_find(rest, ' ');

        rest = slice_skip(rest, blank < 0 ? rest.len : (size_t)blank + 1);
    }
    return rest.len && reaches(&exchange->caller, level);
}

static const char *level_name(enum route_level level)
{
    static const char *const names[] = {
        [FOR_ANYBODY] = "anybody", [FOR_SIGNED_IN] = "signed_in", [FOR_SENDER] = "user",
        [FOR_VIEWER] = "viewer",   [FOR_OPERATOR] = "operator",   [FOR_ADMIN] = "admin",
        [FOR_OWNER] = "owner"};

    return names[level];
}

static bool role_is_enough(const struct exchange *exchange, enum route_level level)
{
    switch (level) {
    case FOR_ANYBODY:
    case FOR_SIGNED_IN:
        return true;
    case FOR_SENDER:
        return exchange->caller.account.kind == ACCOUNT_USER;
    case FOR_VIEWER:
    case FOR_OPERATOR:
    case FOR_ADMIN:
    case FOR_OWNER:
        break;
    }
    return guard_is(exchange, level);
}

static bool judge_token(struct exchange *exchange, const struct route *route)
{
    if (!route->scope || !word_is_in(exchange->caller.scopes, slice_of(route->scope)))
        return refuse_needs(exchange, "scope_missing", "This token is not for that.",
                            route->scope ? route->scope : "a login");
    return reaches(&exchange->caller, route->who) ||
           refuse_needs(exchange, "role_forbidden", "Who made this token may not do this any more.",
                        level_name(route->who));
}

bool guard_confirmed(struct exchange *exchange)
{
    return exchange->caller.is_confirmed || exchange->caller.token_id ||
           refuse(exchange, 403, "confirm_first", "Give your password once more for this.");
}

static bool judge_caller(struct exchange *exchange, const struct route *route)
{
    if (exchange->caller.token_id)
        return judge_token(exchange, route);
    if (!role_is_enough(exchange, route->who))
        return refuse_needs(exchange, "role_forbidden", "Your role may not do this.",
                            level_name(route->who));
    return !(route->flags & NEEDS_CONFIRMATION) || guard_confirmed(exchange);
}

/* ---- where does it come from ---- */

static bool is_json(const char *type)
{
    struct slice text = slice_of(type ? type : "");
    ptrdiff_t end = slice_find(text, ';');

    return slice_equal_ignoring_case(slice_trim(end < 0 ? text : slice_head(text, (size_t)end)),
                                     SLICE_LITERAL("application/json"));
}

/* A page of others can make a browser send our cookie only in ways that one of these shows.  A
 * token is no cookie: whoever has it, has it. */
static bool judge_origin(struct exchange *exchange)
{
    const struct exchange_fields *fields = &exchange->fields;

    if (exchange->method == HTTP_GET || fields->authorization)
        return true;
    if (!fields->staffetta || strcmp(fields->staffetta, "1") != 0)
        return refuse(exchange, 403, "cross_site", "The header X-Staffetta: 1 is missing.");
    if (fields->has_body && !is_json(fields->content_type))
        return refuse(exchange, 415, "not_json", "The body must be application/json.");
    if (fields->fetch_site && strcmp(fields->fetch_site, "same-origin") != 0 &&
        strcmp(fields->fetch_site, "none") != 0)
        return refuse(exchange, 403, "cross_site", "Another site's page sent this.");
    if (fields->origin &&
        !origin_is(slice_of(fields->origin), slice_of(fields->host), exchange->is_secure))
        return refuse(exchange, 403, "cross_site", "Another site's page sent this.");
    return true;
}

bool guard_host(struct exchange *exchange)
{
    const char *host = exchange->fields.host;

    return host_is_ours(slice_of(host ? host : ""), slice_of(exchange->webui->hostname)) ||
           refuse(exchange, 421, "wrong_host",
                  "This service has another name: use its host name or its address.");
}

bool guard_admit(struct exchange *exchange, const struct route *route)
{
    identify(exchange);
    if (!route || route->who != FOR_ANYBODY) {
        if (!exchange->caller.is_signed_in)
            return refuse(exchange, 401, "not_signed_in", "Sign in first.");
    }
    if (!route)
        return true;
    if (!exchange->is_local && !judge_origin(exchange))
        return false;
    return route->who == FOR_ANYBODY || judge_caller(exchange, route);
}
