#include "policy/registry_access.h"

#include <errno.h>

#include "policy/registry_run.h"
#include "relay/base/clock.h"

enum { MOST_ADMINS = 200, MOST_TOKENS = 500 };

static int count(struct registry *registry, enum staffetta_statement name, struct slice text,
                 int64_t *out)
{
    struct statement *row = db_statement(registry->db, name);
    int result;

    if (text.data)
        bind_text(row, 1, text);
    result = statement_step(row);
    if (result == STATEMENT_ROW)
        *out = column_number(row, 0);
    statement_reset(row);
    return result < 0 ? result : 0;
}

static struct slice kind_of(struct account account)
{
    return slice_of(account_kind_name(account.kind));
}

/* REGISTRY_OK when the statement before changed a row. */
static enum registry_result changed(struct registry *registry, struct registry_request *request,
                                    int error, const char *sentence)
{
    if (error)
        return registry_error(request, error);
    return db_changes(registry->db) ? REGISTRY_OK
                                    : refuse(request, REGISTRY_NOT_FOUND, "%s", sentence);
}

static const char no_admin[] = "there is no such administrator";

/* ---- administrators ---- */

static void log_admin(struct access_request *request, const char *change)
{
    const struct event_field fields[] = {field_slice("admin", request->name),
                                         field_text("change", change)};

    registry_log(&request->request, EVENT_ADMIN_CHANGED, fields, 2);
}

static enum registry_result add_admin(struct registry *registry, struct access_request *request)
{
    int64_t n_admins = 0;
    int error = count(registry, STAFFETTA_COUNT_ADMINS, (struct slice){0}, &n_admins);

    if (!is_user_name(request->name))
        return refuse(&request->request, REGISTRY_INVALID_NAME,
                      "\"%.*s\" is no name for an administrator", TEXT(request->name));
    if (n_admins >= MOST_ADMINS)
        return refuse(&request->request, REGISTRY_INVALID_VALUE, "there are %d administrators",
                      (int)MOST_ADMINS);
    if (!error)
        error = registry_run(registry, STAFFETTA_ADD_ADMIN, T(request->name),
                             T(slice_of(admin_role_name(request->role))), T(request->hash),
                             N(clock_utc_ms()));
    if (error == -EEXIST)
        return refuse(&request->request, REGISTRY_EXISTS,
                      "there is an administrator of that name already");
    log_admin(request, "added");
    return registry_stored(&request->request, error);
}

static enum registry_result add_first(struct registry *registry, struct access_request *request)
{
    int64_t n_admins = 0;
    int error = count(registry, STAFFETTA_COUNT_ADMINS, (struct slice){0}, &n_admins);

    if (error)
        return registry_error(&request->request, error);
    if (n_admins)
        return refuse(&request->request, REGISTRY_EXISTS, "there is an administrator already");
    request->role = ROLE_OWNER;
    return add_admin(registry, request);
}

/* Somebody else must be able to take an owner's place. */
static enum registry_result expect_other_owner(struct registry *registry,
                                               struct access_request *request)
{
    int64_t n_owners = 0;
    int error = count(registry, STAFFETTA_COUNT_OWNERS, request->name, &n_owners);

    if (error)
        return registry_error(&request->request, error);
    return n_owners ? REGISTRY_OK
                    : refuse(&request->request, REGISTRY_LAST_OWNER,
                             "this is the last owner: make another one first");
}

static int end_sessions(struct registry *registry, struct account account, int64_t but_id)
{
    return registry_run(registry, STAFFETTA_DELETE_PANEL_SESSIONS_OF, T(kind_of(account)),
                        N(account.id), N(but_id));
}

static enum registry_result delete_admin(struct registry *registry, struct access_request *request)
{
    enum registry_result result = expect_other_owner(registry, request);
    int error;

    if (result != REGISTRY_OK)
        return result;
    result = changed(registry, &request->request,
                     registry_run(registry, STAFFETTA_DELETE_ADMIN, T(request->name)), no_admin);
    if (result != REGISTRY_OK)
        return result;
    error = end_sessions(registry, request->account, 0);
    if (!error)
        error = registry_run(registry, STAFFETTA_DELETE_PROFILE, T(kind_of(request->account)),
                             N(request->account.id));
    if (!error)
        error = registry_run(registry, STAFFETTA_DELETE_RECOVERY_CODES,
                             T(kind_of(request->account)), N(request->account.id));
    if (!error) /* or they would be good again with the next one of that name */
        error = registry_run(registry, STAFFETTA_DELETE_TOKENS_OF, T(request->name));
    log_admin(request, "deleted");
    return registry_stored(&request->request, error);
}

static enum registry_result set_role(struct registry *registry, struct access_request *request)
{
    enum registry_result result =
        request->role == ROLE_OWNER ? REGISTRY_OK : expect_other_owner(registry, request);

    if (result == REGISTRY_OK)
        result = changed(registry, &request->request,
                         registry_run(registry, STAFFETTA_SET_ADMIN_ROLE, T(request->name),
                                      T(slice_of(admin_role_name(request->role)))),
                         no_admin);
    if (result != REGISTRY_OK)
        return result;
    log_admin(request, admin_role_name(request->role));
    return registry_stored(&request->request, end_sessions(registry, request->account, 0));
}

static enum registry_result set_hash(struct registry *registry, struct access_request *request)
{
    enum registry_result result = changed(
        registry, &request->request,
        registry_run(registry, STAFFETTA_SET_ADMIN_HASH, T(request->name), T(request->hash)),
        no_admin);

    if (result != REGISTRY_OK)
        return result;
    log_admin(request, "password");
    return registry_stored(&request->request,
                           end_sessions(registry, request->account, request->id));
}

static enum registry_result enable_admin(struct registry *registry, struct access_request *request)
{
    enum registry_result result =
        request->is_on ? REGISTRY_OK : expect_other_owner(registry, request);

    if (result == REGISTRY_OK)
        result = changed(
            registry, &request->request,
            registry_run(registry, STAFFETTA_ENABLE_ADMIN, T(request->name), N(request->is_on)),
            no_admin);
    if (result != REGISTRY_OK)
        return result;
    log_admin(request, request->is_on ? "enabled" : "disabled");
    return registry_stored(&request->request, end_sessions(registry, request->account, 0));
}

static enum registry_result reset_admin(struct registry *registry, struct access_request *request)
{
    enum registry_result result = set_hash(registry, request);
    int error;

    if (result != REGISTRY_OK)
        return result;
    error = registry_run(registry, STAFFETTA_ENABLE_ADMIN, T(request->name), N(1));
    if (!error)
        error = registry_run(registry, STAFFETTA_DELETE_RECOVERY_CODES,
                             T(kind_of(request->account)), N(request->account.id));
    if (!error)
        error = registry_run(registry, STAFFETTA_DELETE_PROFILE, T(kind_of(request->account)),
                             N(request->account.id));
    log_admin(request, "reset");
    return registry_stored(&request->request, error);
}

static enum registry_result note_login(struct registry *registry, struct access_request *request)
{
    return registry_stored(&request->request,
                           registry_run(registry, STAFFETTA_NOTE_ADMIN_LOGIN,
                                        N(request->account.id), N(clock_utc_ms())));
}

/* ---- profiles ---- */

static enum registry_result set_preferences(struct registry *registry,
                                            struct access_request *request)
{
    return registry_stored(&request->request,
                           registry_run(registry, STAFFETTA_SET_PREFERENCES,
                                        T(kind_of(request->account)), N(request->account.id),
                                        T(request->language), T(request->theme)));
}

static int put_codes(struct registry *registry, const struct access_request *request)
{
    int error = registry_run(registry, STAFFETTA_DELETE_RECOVERY_CODES,
                             T(kind_of(request->account)), N(request->account.id));

    for (size_t at = 0; !error && at + DIGEST_BYTES <= request->codes.len; at += DIGEST_BYTES)
        error = registry_run(registry, STAFFETTA_ADD_RECOVERY_CODE, T(kind_of(request->account)),
                             N(request->account.id),
                             B(slice_from(request->codes.data + at, DIGEST_BYTES)));
    return error;
}

static enum registry_result set_factor(struct registry *registry, struct access_request *request)
{
    int error = registry_run(registry, STAFFETTA_SET_FACTOR, T(kind_of(request->account)),
                             N(request->account.id), B(request->secret), N(request->is_on),
                             N(request->step));

    return registry_stored(&request->request, error ? error : put_codes(registry, request));
}

static enum registry_result use_step(struct registry *registry, struct access_request *request)
{
    int error = registry_run(registry, STAFFETTA_USE_STEP, T(kind_of(request->account)),
                             N(request->account.id), N(request->step));

    if (!error && !db_changes(registry->db))
        return refuse(&request->request, REGISTRY_EXISTS, "this code was used already");
    return registry_stored(&request->request, error);
}

static enum registry_result use_code(struct registry *registry, struct access_request *request)
{
    return changed(registry, &request->request,
                   registry_run(registry, STAFFETTA_USE_RECOVERY_CODE, T(kind_of(request->account)),
                                N(request->account.id), B(request->hash)),
                   "there is no such recovery code");
}

/* ---- tokens ---- */

static void log_token(struct access_request *request, const char *change)
{
    const struct event_field fields[] = {field_number("token", request->id),
                                         field_slice("name", request->name),
                                         field_text("change", change)};

    registry_log(&request->request, EVENT_TOKEN_CHANGED, fields, 3);
}

static enum registry_result add_token(struct registry *registry, struct access_request *request)
{
    int64_t n_tokens = 0;
    int error = count(registry, STAFFETTA_COUNT_TOKENS, (struct slice){0}, &n_tokens);

    if (n_tokens >= MOST_TOKENS)
        return refuse(&request->request, REGISTRY_INVALID_VALUE, "there are %d tokens already",
                      (int)MOST_TOKENS);
    if (!error)
        error = registry_run(registry, STAFFETTA_ADD_TOKEN, T(request->name), B(request->hash),
                             T(request->scopes), T(request->networks), T(request->request.by),
                             N(clock_utc_ms()), N(request->until_utc_ms));

    request->id = db_last_rowid(registry->db);
    log_token(request, "added");
    return registry_stored(&request->request, error);
}

static enum registry_result delete_token(struct registry *registry, struct access_request *request)
{
    log_token(request, "deleted");
    return changed(registry, &request->request,
                   registry_run(registry, STAFFETTA_DELETE_TOKEN, N(request->id)),
                   "there is no such token");
}

static enum registry_result note_token(struct registry *registry, struct access_request *request)
{
    return registry_stored(&request->request, registry_run(registry, STAFFETTA_NOTE_TOKEN_USE,
                                                           N(request->id), N(clock_utc_ms())));
}

/* ---- all of them answer with the book ---- */

typedef enum registry_result access_change(struct registry *registry,
                                           struct access_request *request);

static access_change *const access_verbs[N_ACCESS_VERBS] = {
    [ACCESS_FIRST_ADMIN] = add_first,
    [ACCESS_ADD_ADMIN] = add_admin,
    [ACCESS_DELETE_ADMIN] = delete_admin,
    [ACCESS_SET_ROLE] = set_role,
    [ACCESS_SET_HASH] = set_hash,
    [ACCESS_RESET] = reset_admin,
    [ACCESS_ENABLE_ADMIN] = enable_admin,
    [ACCESS_NOTE_LOGIN] = note_login,
    [ACCESS_SET_PREFERENCES] = set_preferences,
    [ACCESS_SET_FACTOR] = set_factor,
    [ACCESS_USE_STEP] = use_step,
    [ACCESS_USE_CODE] = use_code,
    [ACCESS_ADD_TOKEN] = add_token,
    [ACCESS_DELETE_TOKEN] = delete_token,
    [ACCESS_NOTE_TOKEN] = note_token,
};

static enum registry_result perform(struct registry *registry, struct registry_request *base)
{
    struct access_request *request = (struct access_request *)(void *)base;
    enum registry_result result = access_verbs[request->verb](registry, request);

    if (result != REGISTRY_OK || request->is_note)
        return result;
    return registry_stored(base, access_book_load(&request->book, registry->db, false));
}

bool registry_access(struct registry *registry, enum access_verb verb,
                     struct access_request *request)
{
    request->verb = verb;
    request->is_note = false;
    request->book = NULL;
    return registry_ask(registry, &request->request, perform, false);
}

bool registry_access_note(struct registry *registry, enum access_verb verb,
                          struct access_request *request)
{
    request->verb = verb;
    request->is_note = true;
    request->book = NULL;
    return registry_ask(registry, &request->request, perform, false);
}

int registry_load_access(struct registry *registry, struct access_book **out)
{
    int error = statement_run(db_statement(registry->db, STAFFETTA_DELETE_LOST_PROFILES));

    if (!error)
        error = statement_run(db_statement(registry->db, STAFFETTA_DELETE_LOST_RECOVERY_CODES));
    if (!error)
        error = registry_run(registry, STAFFETTA_DELETE_SURPLUS_PANEL_SESSIONS, N(SESSIONS_OF_ONE),
                             N(MOST_SESSIONS));
    return error ? error : access_book_load(out, registry->db, true);
}
