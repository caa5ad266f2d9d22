/* Administrators of the panel: who they are, what they may, their passwords. */
#include <stdio.h>

#include "webui/password_call.h"
#include "webui/registry_call.h"
#include "webui/routes.h"

struct admin_call {
    struct access_request access; /* first */
    enum access_verb verb;
    unsigned status;
    char generated[GENERATED_PASSWORD_SIZE]; /* told once */
};

static json_t *admin_json(const struct access_book *book, const struct admin *admin)
{
    const struct profile *profile =
        access_book_profile(book, (struct account){ACCOUNT_ADMIN, admin->id});

    return json_pack("{s:o, s:s, s:b, s:b, s:o, s:o}", "name", json_slice(admin->name), "role",
                     admin_role_name(admin->role), "enabled", (int)admin->is_enabled,
                     "second_factor", (int)(profile && profile->has_second_factor), "created",
                     json_time(admin->created_utc_ms), "last_login",
                     json_time(admin->last_login_utc_ms));
}

json_t *audit_admin(struct exchange *exchange, struct slice name)
{
    const struct access_book *book = exchange->webui->access.book;
    const struct admin *admin = access_book_admin(book, name);

    return admin ? admin_json(book, admin) : NULL;
}

void api_admins_list(struct exchange *exchange)
{
    const struct access_book *book = exchange->webui->access.book;
    json_t *items = json_array();

    for (uint32_t i = 0; book && i < book->n_admins; i++)
        json_array_append_new(items, admin_json(book, &book->admins[i]));
    exchange_answer_items(exchange, items, NULL);
}

/* ---- changes ---- */

static void on_changed(struct registry_request *base)
{
    struct admin_call *call = (struct admin_call *)(void *)base;
    struct exchange *exchange = registry_call_exchange(base);
    struct slice name = call->access.name;
    json_t *body;

    access_take_book(&exchange->webui->access, &call->access);
    if (base->result == REGISTRY_OK && call->access.account.id)
        access_forget_sessions_of(&exchange->webui->access, call->access.account, call->access.id);
    if (registry_call_went_well(base)) {
        body = call->status == 204 ? NULL : audit_admin(exchange, name);
        if (body && *call->generated)
            json_object_set_new(body, "password", json_string(call->generated));
        exchange_answer(exchange, call->status, body);
    }
    secret_wipe(call->generated, sizeof(call->generated));
}

static struct admin_call *begin(struct exchange *exchange, enum access_verb verb, unsigned status)
{
    struct admin_call *call = registry_call_memory(exchange, sizeof(*call));

    if (!call)
        return NULL;
    registry_call_begin(exchange, &call->access.request, on_changed);
    call->verb = verb;
    call->status = status;
    return call;
}

/* Of the administrator that the path names; NULL after answering 404. */
static struct admin_call *begin_for(struct exchange *exchange, enum access_verb verb,
                                    unsigned status)
{
    const struct admin *admin = access_book_admin(exchange->webui->access.book, exchange->argument);
    struct admin_call *call;

    if (!admin) {
        exchange_problem(exchange, 404, "not_found", "There is no such administrator.");
        return NULL;
    }
    call = begin(exchange, verb, status);
    if (!call)
        return NULL;
    call->access.name = arena_copy(&exchange->arena, admin->name);
    call->access.account = (struct account){ACCOUNT_ADMIN, admin->id};
    return call;
}

static void post(struct exchange *exchange, struct admin_call *call)
{
    if (!registry_access(exchange->webui->parts.registry, call->verb, &call->access))
        exchange_busy(exchange);
}

static void on_hashed(struct password_call *hashed)
{
    struct admin_call *call = hashed->owner;

    call->access.hash = arena_copy(&hashed->exchange->arena, slice_of(hashed->hash));
    post(hashed->exchange, call);
}

static bool read_role(struct exchange *exchange, enum admin_role *role)
{
    const char *word = exchange_expect_text(exchange, "role");

    if (!word)
        return false;
    if (admin_role_parse(slice_of(word), role))
        return true;
    exchange_problem(exchange, 422, "bad_field", "The role is owner, admin, operator or viewer.");
    return false;
}

/* An SMTP user of that name could not sign in any more. */
static bool is_free(struct exchange *exchange, struct slice name)
{
    if (!exchange->webui->directory || !directory_user(exchange->webui->directory, name))
        return true;
    exchange_problem(exchange, 409, "exists", "There is an SMTP user of that name.");
    return false;
}

void api_admins_add(struct exchange *exchange)
{
    const char *name = exchange_expect_text(exchange, "name");
    const char *password = name ? exchange_expect_text(exchange, "password") : NULL;
    struct admin_call *call;
    enum admin_role role;

    if (!password || !read_role(exchange, &role) || !is_free(exchange, slice_of(name)))
        return;
    call = begin(exchange, ACCESS_ADD_ADMIN, 201);
    if (!call)
        return;
    call->access.name = slice_of(name);
    call->access.role = role;
    password_call_start(exchange, slice_of(password), call->access.name, call, on_hashed);
}

void api_admin_delete(struct exchange *exchange)
{
    struct admin_call *call = begin_for(exchange, ACCESS_DELETE_ADMIN, 204);

    if (!call)
        return;
    if (!exchange->is_local && account_equal(call->access.account, exchange->caller.account))
        exchange_problem(exchange, 409, "yourself", "Nobody can delete himself.");
    else
        post(exchange, call);
}

void api_admin_password(struct exchange *exchange)
{
    const char *password = exchange_expect_text(exchange, "password");
    struct admin_call *call = password ? begin_for(exchange, ACCESS_SET_HASH, 204) : NULL;

    if (!call)
        return;
    if (account_equal(call->access.account, exchange->caller.account))
        call->access.id = exchange->caller.session_id;
    password_call_start(exchange, slice_of(password), call->access.name, call, on_hashed);
}

void api_admin_role(struct exchange *exchange)
{
    enum admin_role role;
    struct admin_call *call =
        read_role(exchange, &role) ? begin_for(exchange, ACCESS_SET_ROLE, 200) : NULL;

    if (!call)
        return;
    call->access.role = role;
    post(exchange, call);
}

static void enable(struct exchange *exchange, bool is_on)
{
    struct admin_call *call = begin_for(exchange, ACCESS_ENABLE_ADMIN, 204);

    if (!call)
        return;
    call->access.is_on = is_on;
    post(exchange, call);
}

void api_admin_enable(struct exchange *exchange)
{
    enable(exchange, true);
}

void api_admin_disable(struct exchange *exchange)
{
    enable(exchange, false);
}

/* For who has lost password or second factor: a new password, shown once. */
void api_admin_reset(struct exchange *exchange)
{
    struct admin_call *call = begin_for(exchange, ACCESS_RESET, 200);

    if (!call)
        return;
    password_generate(call->generated);
    password_call_start(exchange, slice_of(call->generated), call->access.name, call, on_hashed);
}
