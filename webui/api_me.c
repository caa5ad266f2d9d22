/* What is one's own: of every account name, language and password; of an SMTP user what it may
 * send, its further passwords, and what to put into a mail program. */
#include <stdio.h>

#include "policy/authenticator.h"
#include "policy/registry_users.h"
#include "relay/base/clock.h"
#include "relay/base/list.h"
#include "webui/dkim_json.h"
#include "webui/password_call.h"
#include "webui/registry_call.h"
#include "webui/routes.h"
#include "webui/second_factor.h"
#include "webui/user_json.h"

/* The SMTP user who asks; NULL after answering 404, when it went meanwhile. */
static const struct user *expect_user(struct exchange *exchange)
{
    const struct directory *directory = exchange->webui->directory;
    const struct user *user =
        directory ? directory_user_by_id(directory, exchange->caller.account.id) : NULL;

    if (!user)
        exchange_problem(exchange, 404, "not_found", "There is no such user.");
    return user;
}

/* ---- who I am ---- */

static bool sends_as(const struct user *user, const struct signing_domain *domain)
{
    for (uint32_t i = 0; i < user->n_senders; i++)
        if (slice_equal_ignoring_case(user->senders[i].domain, domain->name))
            return true;
    return false;
}

static json_t *name_json(const struct signing_domain *domain)
{
    return json_slice(domain->name);
}

/* Of the domains that the user sends as, what show says of each. */
static json_t *domains_of(const struct directory *directory, const struct user *user,
                          json_t *(*show)(const struct signing_domain *domain))
{
    json_t *domains = json_array();

    for (uint32_t i = 0; i < directory->n_domains; i++)
        if (sends_as(user, &directory->domains[i]))
            json_array_append_new(domains, show(&directory->domains[i]));
    return domains;
}

void api_me_dns(struct exchange *exchange)
{
    const struct user *user = expect_user(exchange);

    if (user)
        exchange_answer_items(exchange, domains_of(exchange->webui->directory, user, domain_json),
                              NULL);
}

void api_me(struct exchange *exchange)
{
    const struct profile *profile =
        access_book_profile(exchange->webui->access.book, exchange->caller.account);
    struct slice language = profile ? profile->language : slice_of("");
    const struct user *user;
    json_t *more;

    if (exchange->caller.account.kind == ACCOUNT_ADMIN) {
        exchange_answer(
            exchange, 200,
            json_pack("{s:s, s:o}", "user", exchange->by, "language", json_slice(language)));
        return;
    }
    user = expect_user(exchange);
    if (!user)
        return;
    more = json_pack("{s:o, s:o, s:o, s:o, s:o}", "user", json_slice(user->name), "language",
                     json_slice(language), "domains",
                     domains_of(exchange->webui->directory, user, name_json), "senders",
                     user_senders_json(user), "limits", user_limits_json(user));
    user_answer_with_use(exchange, user, more);
}

/* ---- a new password ---- */

struct my_password {
    struct login_request login;
    struct exchange *exchange;
    struct slice name, fresh;
};

static void on_admin_changed(struct registry_request *base)
{
    struct access_request *request = (struct access_request *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);

    access_take_book(&exchange->webui->access, request);
    if (!registry_call_went_well(base))
        return;
    access_forget_sessions_of(&exchange->webui->access, request->account, request->id);
    exchange_answer(exchange, 204, NULL);
}

static void on_hashed(struct password_call *call)
{
    struct access_request *request = call->owner;

    request->hash = arena_copy(&call->exchange->arena, slice_of(call->hash));
    if (!registry_access(call->exchange->webui->parts.registry, ACCESS_SET_HASH, request))
        exchange_busy(call->exchange);
}

static void change_admin(struct my_password *mine)
{
    struct exchange *exchange = mine->exchange;
    struct access_request *request = registry_call_memory(exchange, sizeof(*request));

    if (!request)
        return;
    registry_call_begin(exchange, &request->request, on_admin_changed);
    request->name = mine->name;
    request->account = exchange->caller.account;
    request->id = exchange->caller.session_id;
    password_call_start(exchange, mine->fresh, mine->name, request, on_hashed);
}

static void on_user_changed(struct registry_request *base)
{
    struct exchange *exchange = registry_call_exchange(base);

    if (!registry_call_went_well(base))
        return;
    access_end_sessions_of(exchange->webui, exchange->caller.account, exchange->caller.session_id);
    exchange_answer(exchange, 204, NULL);
}

static void change_user(struct my_password *mine)
{
    struct exchange *exchange = mine->exchange;
    struct user_password_request *change = registry_call_memory(exchange, sizeof(*change));

    if (!change)
        return;
    registry_call_begin(exchange, &change->request, on_user_changed);
    change->name = mine->name;
    change->password.source = PASSWORD_GIVEN;
    change->password.text = mine->fresh;
    if (!registry_user_password(exchange->webui->parts.registry, change))
        exchange_busy(exchange);
}

static void on_judged(struct login_request *login)
{
    struct my_password *mine = CONTAINER_OF(login, struct my_password, login);

    if (login->verdict == LOGIN_BUSY)
        exchange_busy(mine->exchange);
    else if (login->verdict == LOGIN_THROTTLED)
        answer_too_many_tries(mine->exchange, login->retry_ms);
    else if (login->verdict == LOGIN_WRONG)
        exchange_problem(mine->exchange, 403, "wrong_login", "The old password is wrong.");
    else if (login->door == LOGIN_PANEL_ADMIN)
        change_admin(mine);
    else
        change_user(mine);
}

/* Compared with the account's own password, as at signing in. */
static bool choose_door(struct exchange *exchange, struct my_password *mine)
{
    const struct admin *admin;
    enum admin_role role;

    if (!access_account_name(exchange->webui, exchange->caller.account, &mine->name, &role))
        return false;
    mine->name = arena_copy(&exchange->arena, mine->name);
    mine->login.door = LOGIN_PANEL_USER;
    if (exchange->caller.account.kind == ACCOUNT_USER)
        return true;
    admin = access_book_admin_by_id(exchange->webui->access.book, exchange->caller.account.id);
    mine->login.door = LOGIN_PANEL_ADMIN;
    mine->login.hash = arena_copy(&exchange->arena, admin ? admin->hash : slice_of(""));
    return mine->login.hash.len > 0;
}

void api_me_password(struct exchange *exchange)
{
    const char *password = exchange_expect_text(exchange, "password");
    const char *fresh = password ? exchange_expect_text(exchange, "new_password") : NULL;
    struct my_password *mine = fresh ? exchange_memory(exchange, sizeof(*mine)) : NULL;

    if (!mine)
        return;
    if (!exchange->caller.session_id || !choose_door(exchange, mine)) {
        exchange_problem(exchange, 422, "no_session", "There is no session.");
        return;
    }
    mine->exchange = exchange;
    mine->fresh = slice_of(fresh);
    mine->login.answer_to = exchange->webui->mailbox;
    mine->login.done = on_judged;
    mine->login.user = mine->name;
    mine->login.password = slice_of(password);
    mine->login.peer = exchange->peer;
    if (!exchange->webui->parts.policy || !login_ask(exchange->webui->parts.policy, &mine->login))
        exchange_busy(exchange);
}

/* ---- set-up card ---- */

static const struct settings_listen *listen_titled(const struct settings *settings,
                                                   const char *title)
{
    for (size_t i = 0; i < settings->n_listen; i++)
        if (strcmp(settings->listen[i].title, title) == 0)
            return &settings->listen[i];
    return NULL;
}

/* Where users may send: the ports as they are bound, each once. */
static json_t *ports_json(const struct webui *webui)
{
    const struct webui_door *doors = webui->parts.doors;
    json_t *ports = json_array();

    for (size_t i = 0; i < WEBUI_MOST_DOORS && doors[i].listener[0]; i++) {
        const struct settings_listen *listen = listen_titled(webui->settings, doors[i].listener);
        bool is_new = true;

        for (size_t k = 0; k < i; k++)
            is_new &=
                doors[k].port != doors[i].port || strcmp(doors[k].listener, doors[i].listener) != 0;
        if (is_new && listen && strcmp(listen->auth, "required") == 0)
            json_array_append_new(
                ports, json_pack("{s:i, s:s}", "port", (int)doors[i].port, "tls", listen->tls));
    }
    return ports;
}

void api_me_setup_card(struct exchange *exchange)
{
    const struct user *user = expect_user(exchange);

    if (user)
        exchange_answer(exchange, 200,
                        json_pack("{s:o, s:s, s:o}", "user", json_slice(user->name), "host",
                                  exchange->webui->hostname, "ports", ports_json(exchange->webui)));
}

/* ---- further passwords ---- */

struct app_call {
    struct app_password_request request; /* first */
    char generated[GENERATED_PASSWORD_SIZE];
};

static void on_listed(struct registry_request *base)
{
    struct app_password_request *request = (struct app_password_request *)(void *)base;
    struct reader reader = {.rest = buffer_slice(&request->rows)};
    json_t *items = json_array();

    while (reader.rest.len && !reader.failed) {
        uint64_t id = reader_u64(&reader), created = reader_u64(&reader);
        uint64_t used = reader_u64(&reader);

        json_array_append_new(items, json_pack("{s:I, s:o, s:o, s:o}", "id", (json_int_t)id,
                                               "label", json_slice(reader_counted(&reader)),
                                               "created", json_time((int64_t)created), "last_used",
                                               json_time((int64_t)used)));
    }
    buffer_fini(&request->rows);
    if (registry_call_went_well(base))
        exchange_answer_items(registry_call_exchange(base), items, NULL);
    else
        json_decref(items);
}

static struct app_call *begin(struct exchange *exchange,
                              void (*done)(struct registry_request *request))
{
    struct app_call *call = registry_call_memory(exchange, sizeof(*call));

    if (!call)
        return NULL;
    registry_call_begin(exchange, &call->request.request, done);
    call->request.user_id = exchange->caller.account.id;
    return call;
}

void api_app_passwords_list(struct exchange *exchange)
{
    struct app_call *call = begin(exchange, on_listed);

    if (call && !registry_app_password_list(exchange->webui->parts.registry, &call->request))
        exchange_busy(exchange);
}

static void on_added(struct registry_request *base)
{
    struct app_call *call = (struct app_call *)(void *)base;

    if (registry_call_went_well(base))
        exchange_answer(registry_call_exchange(base), 201,
                        json_pack("{s:I, s:o, s:o, s:n, s:s}", "id", (json_int_t)call->request.id,
                                  "label", json_slice(call->request.label), "created",
                                  json_time(clock_utc_ms()), "last_used", "password",
                                  call->generated));
    secret_wipe(call->generated, sizeof(call->generated));
}

static void on_app_hashed(struct password_call *hashed)
{
    struct app_call *call = hashed->owner;

    call->request.hash = arena_copy(&hashed->exchange->arena, slice_of(hashed->hash));
    if (!registry_app_password_add(hashed->exchange->webui->parts.registry, &call->request))
        exchange_busy(hashed->exchange);
}

void api_app_passwords_add(struct exchange *exchange)
{
    const char *label = exchange_expect_text(exchange, "label");
    struct app_call *call = label ? begin(exchange, on_added) : NULL;

    if (!call)
        return;
    call->request.label = slice_of(label);
    password_generate(call->generated);
    password_call_start(exchange, slice_of(call->generated), slice_of(label), call, on_app_hashed);
}

void api_app_password_delete(struct exchange *exchange)
{
    struct app_call *call = begin(exchange, registry_call_done);
    uint64_t id;

    if (!call)
        return;
    if (!slice_to_number(exchange->argument, INT64_MAX, &id)) {
        exchange_problem(exchange, 404, "not_found", "There is no such password.");
        return;
    }
    call->request.id = (int64_t)id;
    if (!registry_app_password_delete(exchange->webui->parts.registry, &call->request))
        exchange_busy(exchange);
}
