#include "policy/registry_credentials.h"

#include "policy/imported_hash.h"
#include "policy/registry_internal.h"
#include "policy/registry_users.h"
#include "relay/base/clock.h"

static const struct slice kind_password = SLICE_LITERAL("password");

static enum registry_result insert_credential(struct registry *registry,
                                              struct registry_request *request, int64_t user_id,
                                              struct slice hash)
{
    struct statement *insert;
    int error = registry_run_number_text(registry, STAFFETTA_DELETE_CREDENTIALS_OF_KIND, user_id,
                                         kind_password);

    if (error)
        return registry_error(request, error);
    insert = db_statement(registry->db, STAFFETTA_ADD_CREDENTIAL);
    bind_number(insert, 1, user_id);
    bind_text(insert, 2, kind_password);
    bind_text(insert, 3, hash);
    bind_number(insert, 4, clock_utc_ms());
    return registry_stored(request, statement_run(insert));
}

static enum registry_result import_hash(struct registry *registry, struct registry_request *request,
                                        int64_t user_id, struct slice hash)
{
    const char *refusal = imported_hash_refusal(hash);

    return refusal ? refuse(request, REGISTRY_INVALID_HASH, "%s", refusal)
                   : insert_credential(registry, request, user_id, hash);
}

static enum registry_result hash_password(struct registry *registry,
                                          struct registry_request *request, int64_t user_id,
                                          struct slice password)
{
    char hash[PASSWORD_HASH_SIZE];
    int error = password_hash(hash, password);

    return error ? registry_error(request, error)
                 : insert_credential(registry, request, user_id, slice_of(hash));
}

enum registry_result registry_set_password(struct registry *registry,
                                           struct registry_request *request, int64_t user_id,
                                           struct slice user_name, struct new_password *password)
{
    const char *weakness;

    switch (password->source) {
    case PASSWORD_HASHED:
        return import_hash(registry, request, user_id, password->text);
    case PASSWORD_GENERATED:
        password_generate(password->generated);
        return hash_password(registry, request, user_id, slice_of(password->generated));
    case PASSWORD_GIVEN:
        weakness = password_weakness(password->text, user_name);
        if (weakness)
            return refuse(request, REGISTRY_WEAK_PASSWORD, "the password %s", weakness);
        return hash_password(registry, request, user_id, password->text);
    case PASSWORD_NONE:
        return REGISTRY_OK;
    }
    return REGISTRY_INVALID_VALUE;
}

static enum registry_result rehash(struct registry *registry, struct registry_request *base)
{
    struct rehash_request *request = (struct rehash_request *)(void *)base;
    struct statement *change = db_statement(registry->db, STAFFETTA_REPLACE_HASH);

    bind_number(change, 1, request->credential_id);
    bind_text(change, 2, request->old_hash);
    bind_text(change, 3, slice_of(request->new_hash));
    return registry_stored(base, statement_run(change));
}

bool registry_rehash(struct registry *registry, struct rehash_request *request)
{
    return registry_ask(registry, &request->request, rehash, true);
}

static enum registry_result note_use(struct registry *registry, struct registry_request *base)
{
    struct note_use_request *request = (struct note_use_request *)(void *)base;

    for (uint32_t i = 0; i < request->n_uses; i++) {
        struct statement *change = db_statement(registry->db, STAFFETTA_NOTE_USE);
        int error;

        bind_number(change, 1, request->uses[i].credential_id);
        bind_number(change, 2, request->uses[i].utc_ms);
        error = statement_run(change);
        if (error)
            return registry_error(base, error);
    }
    return REGISTRY_OK;
}

bool registry_note_use(struct registry *registry, struct note_use_request *request)
{
    return registry_ask(registry, &request->request, note_use, false);
}

static enum registry_result user_use(struct registry *registry, struct registry_request *base)
{
    struct user_use_request *request = (struct user_use_request *)(void *)base;
    int64_t id;
    enum registry_result found = registry_find_user(registry, base, request->name, &id);
    struct statement *row;
    int result;

    if (found != REGISTRY_OK)
        return found;
    request->last_used_utc_ms = 0;
    request->is_imported = false;
    row = db_statement(registry->db, STAFFETTA_CREDENTIALS_OF);
    bind_number(row, 1, id);
    while ((result = statement_step(row)) == STATEMENT_ROW) {
        request->is_imported |= !imported_hash_is_native(column_text(row, 2));
        if (column_number(row, 3) > request->last_used_utc_ms)
            request->last_used_utc_ms = column_number(row, 3);
    }
    return result < 0 ? registry_error(base, result) : REGISTRY_OK;
}

bool registry_user_use(struct registry *registry, struct user_use_request *request)
{
    return registry_ask(registry, &request->request, user_use, false);
}

static enum registry_result last_uses(struct registry *registry, struct registry_request *base)
{
    struct last_uses_request *request = (struct last_uses_request *)(void *)base;
    struct statement *row = db_statement(registry->db, STAFFETTA_LAST_USES);
    int result;

    while ((result = statement_step(row)) == STATEMENT_ROW) {
        struct last_use use = {(uint32_t)column_number(row, 0), column_number(row, 1)};

        buffer_append(&request->uses, slice_from(&use, sizeof(use)));
    }
    if (result == 0)
        result = buffer_error(&request->uses);
    return result < 0 ? registry_error(base, result) : REGISTRY_OK;
}

bool registry_last_uses(struct registry *registry, struct last_uses_request *request)
{
    return registry_ask(registry, &request->request, last_uses, false);
}
