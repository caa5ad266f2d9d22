#include "webui/sign_in.h"

#include <stdio.h>

#include "policy/authenticator.h"
#include "relay/base/clock.h"
#include "relay/base/event.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/second_factor.h"

/* ---- what is told ---- */

static json_t *session_json(const struct exchange *exchange, struct account account,
                            int64_t confirmed_utc_ms)
{
    const struct webui *webui = exchange->webui;
    const struct profile *profile = access_book_profile(webui->access.book, account);
    struct slice name = slice_of(exchange->by);
    enum admin_role role = exchange->caller.role;
    struct slice none = {"", 0};

    (void)access_account_name(webui, account, &name, &role);
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "user", json_slice(name), "kind",
                     account_kind_name(account.kind), "role",
                     account.kind == ACCOUNT_ADMIN ? admin_role_name(role) : "user", "language",
                     json_slice(profile ? profile->language : none), "theme",
                     json_slice(profile ? profile->theme : none), "confirmed_until",
                     json_time(confirmed_utc_ms), "second_factor",
                     (int)(profile && profile->has_second_factor));
}

static void answer_session(struct exchange *exchange)
{
    struct panel_session *session =
        access_session(&exchange->webui->access, exchange->caller.session_id);

    exchange_answer(exchange, 200,
                    session_json(exchange, exchange->caller.account,
                                 session ? session->row.confirmed_utc_ms : 0));
}

void api_session_show(struct exchange *exchange)
{
    answer_session(exchange);
}

/* ---- a new one ---- */

struct new_session {
    struct session_request request; /* first */
    char secret[SESSION_SECRET_SIZE];
    struct slice hash;
};

static const char wrong_login[] = "The name or the password is wrong.";

static void set_cookie(struct exchange *exchange, const char *secret)
{
    (void)snprintf(exchange->set_cookie, sizeof(exchange->set_cookie),
                   "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", exchange_cookie_name(exchange),
                   secret, exchange->is_secure ? "; Secure" : "", *secret ? "" : "; Max-Age=0");
}

static void note_login(struct webui *webui, struct account account)
{
    struct access_request *request =
        account.kind == ACCOUNT_ADMIN ? access_note(webui, sizeof(*request)) : NULL;

    if (!request)
        return;
    request->account = account;
    access_posted(webui, request,
                  registry_access_note(webui->parts.registry, ACCESS_NOTE_LOGIN, request));
}

/* The password may have been changed, or the account disabled, since it was asked for. */
static bool is_still_let_in(const struct exchange *exchange, const struct new_session *made)
{
    struct account account = made->request.row.account;
    const struct admin *admin;
    struct slice name;
    enum admin_role role;

    if (!access_account_name(exchange->webui, account, &name, &role))
        return false;
    admin = access_book_admin_by_id(exchange->webui->access.book, account.id);
    return account.kind != ACCOUNT_ADMIN || !made->hash.len || slice_equal(admin->hash, made->hash);
}

static void answer_stored(struct exchange *exchange, const struct new_session *made)
{
    struct webui *webui = exchange->webui;
    const struct stored_session *row = &made->request.row;
    struct panel_session *before = access_session(&webui->access, exchange->caller.session_id);

    if (!is_still_let_in(exchange, made)) {
        access_discard_session(webui, row);
        exchange_problem(exchange, 401, "wrong_login", wrong_login);
        return;
    }
    if (before)
        access_end_session(webui, before);
    if (!access_add_session(webui, row)) {
        access_discard_session(webui, row);
        exchange_busy(exchange);
        return;
    }
    note_login(webui, row->account);
    set_cookie(exchange, made->secret);
    exchange_answer(exchange, 200, session_json(exchange, row->account, row->confirmed_utc_ms));
}

static void on_stored(struct registry_request *base)
{
    struct new_session *made = (struct new_session *)(void *)base;

    if (registry_call_went_well(base))
        answer_stored(registry_call_exchange(base), made);
    secret_wipe(made->secret, sizeof(made->secret));
}

static void make_secret(char out[SESSION_SECRET_SIZE], uint8_t hash[DIGEST_BYTES])
{
    uint8_t bytes[SESSION_SECRET_BYTES];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    plain_digest(hash, slice_from(out, SESSION_SECRET_SIZE - 1));
    secret_wipe(bytes, sizeof(bytes));
}

void sign_in_finish(struct exchange *exchange, struct account account, struct slice hash)
{
    struct new_session *made = registry_call_memory(exchange, sizeof(*made));
    struct stored_session *row = made ? &made->request.row : NULL;
    const char *agent = exchange->fields.agent;

    if (!made)
        return;
    registry_call_begin(exchange, &made->request.request, on_stored);
    make_secret(made->secret, row->hash);
    made->hash = hash;
    row->account = account;
    row->created_utc_ms = row->seen_utc_ms = clock_utc_ms();
    row->confirmed_utc_ms = row->created_utc_ms + SESSION_CONFIRMED_MS;
    slice_copy_to(slice_of(exchange->from), row->address, sizeof(row->address));
    slice_copy_to(slice_of(agent ? agent : ""), row->agent, sizeof(row->agent));
    if (!registry_session(exchange->webui->parts.registry, SESSION_ADD, &made->request))
        exchange_busy(exchange);
}

/* ---- by a password ---- */

/* Nobody's are longer (registry_names.h); what strangers send beyond is not even logged. */
enum { MOST_USER = 254, MOST_PASSWORD = 1024 };

struct sign_in {
    struct login_request login;
    struct exchange *exchange;
    struct account account; /* of an administrator from the start, of a user when it went well */
    struct slice code;
};

static void finish(struct exchange *exchange, void *owner)
{
    struct sign_in *sign_in = owner;

    EVENT(EVENT_PANEL_LOGIN, field_slice("user", sign_in->login.user),
          field_text("client", exchange->from),
          field_text("kind", account_kind_name(sign_in->account.kind)));
    sign_in_finish(exchange, sign_in->account, sign_in->login.hash);
}

/* Whoever was asked about may have been changed while the password was hashed. */
static bool is_still(const struct sign_in *sign_in)
{
    const struct admin *admin;

    if (sign_in->login.door != LOGIN_PANEL_ADMIN)
        return true;
    admin = access_book_admin_by_id(sign_in->exchange->webui->access.book, sign_in->account.id);
    return admin && admin->is_enabled && slice_equal(admin->hash, sign_in->login.hash);
}

static void refuse_login(struct sign_in *sign_in)
{
    struct exchange *exchange = sign_in->exchange;

    EVENT(EVENT_PANEL_LOGIN_FAILED, field_slice("user", sign_in->login.user),
          field_text("client", exchange->from), field_text("reason", sign_in->login.reason));
    exchange_problem(exchange, 401, "wrong_login", wrong_login);
}

static void on_judged(struct login_request *login)
{
    struct sign_in *sign_in = CONTAINER_OF(login, struct sign_in, login);
    struct exchange *exchange = sign_in->exchange;

    if (login->verdict == LOGIN_BUSY) {
        exchange_busy(exchange);
    } else if (login->verdict == LOGIN_THROTTLED) {
        EVENT(EVENT_PANEL_LOGIN_FAILED, field_slice("user", login->user),
              field_text("client", exchange->from), field_text("reason", login->reason));
        answer_too_many_tries(exchange, login->retry_ms);
    } else if (login->verdict == LOGIN_WRONG || !is_still(sign_in)) {
        refuse_login(sign_in);
    } else {
        if (login->door == LOGIN_PANEL_USER)
            sign_in->account = (struct account){ACCOUNT_USER, login->user_id};
        second_factor_check(exchange, sign_in->account, sign_in->code, sign_in, finish);
    }
}

/* An administrator's password, or an SMTP user's; of who is neither it is asked all the same, at
 * the same price. */
static void choose_door(struct exchange *exchange, struct sign_in *sign_in)
{
    const struct admin *admin =
        access_book_admin(exchange->webui->access.book, sign_in->login.user);

    sign_in->login.door = LOGIN_PANEL_USER;
    if (!admin || !admin->is_enabled)
        return;
    sign_in->login.door = LOGIN_PANEL_ADMIN;
    sign_in->login.hash = arena_copy(&exchange->arena, admin->hash);
    sign_in->account = (struct account){ACCOUNT_ADMIN, admin->id};
}

static bool could_be_right(struct exchange *exchange, struct slice user, struct slice password)
{
    if (user.len <= MOST_USER && password.len <= MOST_PASSWORD)
        return true;
    exchange_problem(exchange, 401, "wrong_login", wrong_login);
    return false;
}

static void ask(struct exchange *exchange, struct slice user, const char *password)
{
    struct sign_in *sign_in = exchange_memory(exchange, sizeof(*sign_in));
    const char *code = exchange_text(exchange, "code");

    if (!sign_in || !could_be_right(exchange, user, slice_of(password)))
        return;
    sign_in->exchange = exchange;
    sign_in->code = slice_of(code ? code : "");
    sign_in->login.answer_to = exchange->webui->mailbox;
    sign_in->login.done = on_judged;
    sign_in->login.user = arena_copy(&exchange->arena, user);
    sign_in->login.password = slice_of(password);
    sign_in->login.peer = exchange->peer;
    choose_door(exchange, sign_in);
    if (!exchange->webui->parts.policy ||
        !login_ask(exchange->webui->parts.policy, &sign_in->login))
        exchange_busy(exchange);
}

void api_session_new(struct exchange *exchange)
{
    const char *user = exchange_expect_text(exchange, "user");
    const char *password = user ? exchange_expect_text(exchange, "password") : NULL;

    if (password)
        ask(exchange, slice_of(user), password);
}

/* ---- of one's own session ---- */

static bool expect_session(struct exchange *exchange)
{
    if (exchange->caller.session_id)
        return true;
    exchange_problem(exchange, 422, "no_session", "There is no session: you are not in a browser.");
    return false;
}

void api_session_confirm(struct exchange *exchange)
{
    const char *password = exchange_expect_text(exchange, "password");
    struct slice name;
    enum admin_role role;

    if (!password || !expect_session(exchange))
        return;
    if (access_account_name(exchange->webui, exchange->caller.account, &name, &role))
        ask(exchange, name, password);
    else
        exchange_problem(exchange, 401, "not_signed_in", "Sign in first.");
}

void api_session_delete(struct exchange *exchange)
{
    struct panel_session *session =
        access_session(&exchange->webui->access, exchange->caller.session_id);

    if (!expect_session(exchange))
        return;
    if (session)
        access_end_session(exchange->webui, session);
    set_cookie(exchange, "");
    exchange_answer(exchange, 204, NULL);
}

static void on_preferences(struct registry_request *base)
{
    struct exchange *exchange = registry_call_exchange(base);

    access_take_book(&exchange->webui->access, (struct access_request *)(void *)base);
    if (registry_call_went_well(base))
        answer_session(exchange);
}

static bool is_one_of(const char *word, const char *words)
{
    struct slice rest = slice_of(words), wanted = slice_of(word);

    while (rest.len) {
        ptrdiff_t blank = slice_find(rest, ' ');
        size_t len = blank < 0 ? rest.len : (size_t)blank;

        if (slice_equal(slice_head(rest, len), wanted))
            return true;
        rest = slice_skip(rest, len + 1);
    }
    return !wanted.len;
}

void api_session_preferences(struct exchange *exchange)
{
    const char *language = exchange_text(exchange, "language");
    const char *theme = exchange_text(exchange, "theme");
    const struct profile *now =
        access_book_profile(exchange->webui->access.book, exchange->caller.account);
    struct access_request *request;

    if (!expect_session(exchange))
        return;
    if (!is_one_of(language ? language : "", "en it") ||
        !is_one_of(theme ? theme : "", "light dark auto")) {
        exchange_problem(exchange, 422, "bad_field",
                         "The language is en or it, the theme light, dark or auto.");
        return;
    }
    request = registry_call_memory(exchange, sizeof(*request));
    if (!request)
        return;
    registry_call_begin(exchange, &request->request, on_preferences);
    request->account = exchange->caller.account;
    request->language = language ? slice_of(language) : now ? now->language : slice_of("");
    request->theme = theme ? slice_of(theme) : now ? now->theme : slice_of("");
    request->language = arena_copy(&exchange->arena, request->language);
    request->theme = arena_copy(&exchange->arena, request->theme);
    if (!registry_access(exchange->webui->parts.registry, ACCESS_SET_PREFERENCES, request))
        exchange_busy(exchange);
}
