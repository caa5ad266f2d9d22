/* Open sessions of the panel, who changed what, and further passwords of SMTP users. */
#include <errno.h>

#include "policy/registry_access.h"
#include "policy/registry_run.h"
#include "relay/base/clock.h"

enum { MOST_APP_PASSWORDS = 50, MOST_LABEL = 100 };

/* Each SMTP user has a quota of rows, and all of them together: nobody pushes out what others did,
 * and none of them what administrators did. */
enum {
    AUDIT_ROWS = 200000,
    AUDIT_ROWS_OF_USERS = 50000,
    AUDIT_ROWS_OF_ONE = 1000,
    AUDIT_SWEEP_EVERY = 256, /* rows; to find the last of many takes a while */
    AUDIT_LIST_BYTES = 1 << 20,
};

/* ---- sessions ---- */

static struct slice digest_of(const struct stored_session *row)
{
    return slice_from(row->hash, sizeof(row->hash));
}

static int add_session(struct registry *registry, struct stored_session *row)
{
    int error = registry_run(registry, STAFFETTA_ADD_PANEL_SESSION, B(digest_of(row)),
                             T(slice_of(account_kind_name(row->account.kind))), N(row->account.id),
                             T(slice_of(row->address)), T(slice_of(row->agent)),
                             N(row->created_utc_ms), N(row->confirmed_utc_ms));

    row->id = db_last_rowid(registry->db);
    return error;
}

static int see_session(struct registry *registry, struct stored_session *row)
{
    return registry_run(registry, STAFFETTA_SEE_PANEL_SESSION, N(row->id), N(row->seen_utc_ms));
}

static int delete_session(struct registry *registry, struct stored_session *row)
{
    return registry_run(registry, STAFFETTA_DELETE_PANEL_SESSION, N(row->id));
}

static int delete_others(struct registry *registry, struct stored_session *row)
{
    return registry_run(registry, STAFFETTA_DELETE_PANEL_SESSIONS_OF,
                        T(slice_of(account_kind_name(row->account.kind))), N(row->account.id),
                        N(row->id));
}

static int delete_past(struct registry *registry, struct stored_session *row)
{
    return registry_run(registry, STAFFETTA_DELETE_PAST_PANEL_SESSIONS, N(row->seen_utc_ms),
                        N(row->created_utc_ms));
}

static int (*const session_verbs[N_SESSION_VERBS])(struct registry *, struct stored_session *) = {
    [SESSION_ADD] = add_session,         [SESSION_SEE] = see_session,
    [SESSION_DELETE] = delete_session,   [SESSION_DELETE_OTHERS] = delete_others,
    [SESSION_DELETE_PAST] = delete_past,
};

static enum registry_result perform(struct registry *registry, struct registry_request *base)
{
    struct session_request *request = (struct session_request *)(void *)base;

    return registry_stored(base, session_verbs[request->verb](registry, &request->row));
}

bool registry_session(struct registry *registry, enum session_verb verb,
                      struct session_request *request)
{
    request->verb = verb;
    return registry_ask(registry, &request->request, perform, false);
}

/* ---- who changed what ---- */

static int sweep_audit(struct registry *registry, const struct audit_request *request, int64_t id)
{
    int error = request->user_id ? registry_run(registry, STAFFETTA_DELETE_OLD_AUDIT_OF,
                                                N(request->user_id), N(AUDIT_ROWS_OF_ONE))
                                 : 0;

    if (error || id % AUDIT_SWEEP_EVERY)
        return error;
    error = registry_run(registry, STAFFETTA_DELETE_OLD_AUDIT_OF, N(0), N(AUDIT_ROWS));
    if (!error)
        error =
            registry_run_number(registry, STAFFETTA_DELETE_OLD_AUDIT_OF_USERS, AUDIT_ROWS_OF_USERS);
    return error;
}

static enum registry_result add_audit(struct registry *registry, struct registry_request *base)
{
    struct audit_request *request = (struct audit_request *)(void *)base;
    int error = registry_run(registry, STAFFETTA_ADD_AUDIT, N(clock_utc_ms()), T(base->by),
                             T(request->origin), T(request->action), T(request->object),
                             T(request->before), T(request->after), N(request->user_id));

    if (!error)
        error = sweep_audit(registry, request, db_last_rowid(registry->db));
    return registry_stored(base, error);
}

bool registry_audit(struct registry *registry, struct audit_request *request)
{
    return registry_ask(registry, &request->request, add_audit, false);
}

static enum registry_result list_audit(struct registry *registry, struct registry_request *base)
{
    struct audit_list_request *request = (struct audit_list_request *)(void *)base;
    struct statement *row =
        registry_statement(registry, STAFFETTA_NEXT_AUDIT, N(request->below_id), N(request->most));
    int result;

    while ((result = statement_step(row)) == STATEMENT_ROW && !request->has_more) {
        buffer_append_u64(&request->rows, (uint64_t)column_number(row, 0));
        buffer_append_u64(&request->rows, (uint64_t)column_number(row, 1));
        for (int i = 0; i < AUDIT_COLUMNS; i++)
            buffer_append_counted(&request->rows, column_text(row, 2 + i));
        request->n_rows++;
        request->has_more =
            request->n_rows == request->most || request->rows.len >= AUDIT_LIST_BYTES;
    }
    statement_reset(row);
    return registry_stored(base, result < 0 ? result : buffer_error(&request->rows));
}

bool registry_audit_list(struct registry *registry, struct audit_list_request *request)
{
    request->rows = BUFFER_INIT;
    request->n_rows = 0;
    request->has_more = false;
    return registry_ask(registry, &request->request, list_audit, false);
}

/* ---- further passwords of SMTP users ---- */

static enum registry_result add_app_password(struct registry *registry,
                                             struct registry_request *base)
{
    struct app_password_request *request = (struct app_password_request *)(void *)base;
    struct statement *row =
        registry_statement(registry, STAFFETTA_COUNT_APP_PASSWORDS, N(request->user_id));
    int64_t n = statement_step(row) == STATEMENT_ROW ? column_number(row, 0) : 0;
    int error;

    statement_reset(row);
    if (n >= MOST_APP_PASSWORDS)
        return refuse(base, REGISTRY_INVALID_VALUE, "a user has at most %d of them",
                      (int)MOST_APP_PASSWORDS);
    if (!is_clean_text(request->label, MOST_LABEL))
        return refuse(base, REGISTRY_INVALID_NAME, "\"%.*s\" is no label", TEXT(request->label));
    error = registry_run(registry, STAFFETTA_ADD_APP_PASSWORD, N(request->user_id),
                         T(request->hash), T(request->label), N(clock_utc_ms()));
    request->id = db_last_rowid(registry->db);
    return registry_stored(base, error);
}

bool registry_app_password_add(struct registry *registry, struct app_password_request *request)
{
    return registry_ask(registry, &request->request, add_app_password, true);
}

static enum registry_result delete_app_password(struct registry *registry,
                                                struct registry_request *base)
{
    struct app_password_request *request = (struct app_password_request *)(void *)base;
    int error =
        registry_run(registry, STAFFETTA_DELETE_APP_PASSWORD, N(request->user_id), N(request->id));

    if (!error && !db_changes(registry->db))
        return refuse(base, REGISTRY_NOT_FOUND, "there is no such password");
    return registry_stored(base, error);
}

bool registry_app_password_delete(struct registry *registry, struct app_password_request *request)
{
    return registry_ask(registry, &request->request, delete_app_password, true);
}

static enum registry_result list_app_passwords(struct registry *registry,
                                               struct registry_request *base)
{
    struct app_password_request *request = (struct app_password_request *)(void *)base;
    struct statement *row =
        registry_statement(registry, STAFFETTA_APP_PASSWORDS_OF, N(request->user_id));
    int result;

    while ((result = statement_step(row)) == STATEMENT_ROW) {
        buffer_append_u64(&request->rows, (uint64_t)column_number(row, 0));
        buffer_append_u64(&request->rows, (uint64_t)column_number(row, 2));
        buffer_append_u64(&request->rows, (uint64_t)column_number(row, 3));
        buffer_append_counted(&request->rows, column_text(row, 1));
    }
    return registry_stored(base, result < 0 ? result : buffer_error(&request->rows));
}

bool registry_app_password_list(struct registry *registry, struct app_password_request *request)
{
    request->rows = BUFFER_INIT;
    return registry_ask(registry, &request->request, list_app_passwords, false);
}
