#include "policy/registry_suppressions.h"

#include <errno.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

enum { MOST_REASON_BYTES = 500, MOST_ADDRESS_BYTES = 320, MOST_ROWS = 1000 };
/* An address or a domain in its one form; the local part in lower case, for receivers fold it. */
static enum registry_result parse_suppressed(struct suppression_request *request,
                                             char out[SENDER_RULE_SIZE])
{
    if (request->address.len > MOST_ADDRESS_BYTES || !is_clean_text(request->address, 320) ||
        slice_equal(request->address, SLICE_LITERAL("*")) ||
        !sender_rule_normalize(request->address, out))
        return refuse(&request->request, REGISTRY_INVALID_NAME,
                      "\"%.*s\" is neither an address nor a domain", TEXT(request->address));
    for (char *c = out; *c; c++)
        *c = ascii_lower(*c);
    return REGISTRY_OK;
}

/* 0 is "all users". */
static enum registry_result find_owner(struct registry *registry,
                                       struct suppression_request *request, int64_t *id)
{
    *id = 0;
    return request->user.len ? registry_find_user(registry, &request->request, request->user, id)
                             : REGISTRY_OK;
}

static int store_suppression(struct registry *registry, struct suppression_request *request,
                             const char *address, int64_t user_id)
{
    struct statement *insert = db_statement(registry->db, STAFFETTA_ADD_SUPPRESSION);

    bind_text(insert, 1, slice_of(address));
    bind_number(insert, 2, user_id);
    bind_text(insert, 3, request->reason);
    bind_text(insert, 4, request->request.by.data ? request->request.by : SLICE_LITERAL(""));
    bind_number(insert, 5, clock_utc_ms());
    bind_number(insert, 6, request->until_utc_ms);
    return statement_run(insert);
}

static enum registry_result suppression_add(struct registry *registry,
                                            struct registry_request *base)
{
    struct suppression_request *request = (struct suppression_request *)(void *)base;
    char address[SENDER_RULE_SIZE];
    int64_t user_id;
    enum registry_result result = parse_suppressed(request, address);
    int error;

    if (result == REGISTRY_OK && !is_clean_text(request->reason, MOST_REASON_BYTES))
        return refuse(base, REGISTRY_INVALID_VALUE, "a reason has 1 to %d bytes of text",
                      (int)MOST_REASON_BYTES);
    if (result == REGISTRY_OK)
        result = find_owner(registry, request, &user_id);
    if (result != REGISTRY_OK)
        return result;
    error = store_suppression(registry, request, address, user_id);
    if (error == -EEXIST)
        return refuse(base, REGISTRY_EXISTS, "%s is suppressed already", address);
    return registry_stored(base, error);
}

bool registry_suppression_add(struct registry *registry, struct suppression_request *request)
{
    return registry_ask(registry, &request->request, suppression_add, false);
}

static enum registry_result suppression_delete(struct registry *registry,
                                               struct registry_request *base)
{
    struct suppression_request *request = (struct suppression_request *)(void *)base;
    char address[SENDER_RULE_SIZE];
    int64_t user_id;
    enum registry_result result = parse_suppressed(request, address);
    struct statement *change;
    int error;

    if (result == REGISTRY_OK)
        result = find_owner(registry, request, &user_id);
    if (result != REGISTRY_OK)
        return result;
    change = db_statement(registry->db, STAFFETTA_DELETE_SUPPRESSION);
    bind_text(change, 1, slice_of(address));
    bind_number(change, 2, user_id);
    error = statement_run(change);
    if (error)
        return registry_error(base, error);
    return db_changes(registry->db)
               ? REGISTRY_OK
               : refuse(base, REGISTRY_NOT_FOUND, "%s is not suppressed", address);
}

bool registry_suppression_delete(struct registry *registry, struct suppression_request *request)
{
    return registry_ask(registry, &request->request, suppression_delete, false);
}

static bool read_suppression(struct statement *row, struct suppression *out)
{
    *out = (struct suppression){
        .address = slice_to_string(column_text(row, 0)),
        .user = slice_to_string(column_text(row, 1)),
        .user_id = (uint32_t)column_number(row, 2),
        .reason = slice_to_string(column_text(row, 3)),
        .by = slice_to_string(column_text(row, 4)),
        .since_utc_ms = column_number(row, 5),
        .until_utc_ms = column_number(row, 6),
    };
    return out->address && out->user && out->reason && out->by;
}

static int read_page(struct registry *registry, struct suppression_list_request *request)
{
    struct statement *row = db_statement(registry->db, STAFFETTA_NEXT_SUPPRESSIONS);
    int result;

    bind_text(row, 1, request->after_address.data ? request->after_address : SLICE_LITERAL(""));
    bind_number(row, 2, request->after_user_id);
    bind_number(row, 3, request->limit);
    while ((result = statement_step(row)) == STATEMENT_ROW)
        if (!read_suppression(row, &request->rows[request->n_rows++])) {
            statement_reset(row);
            return FAULT(-ENOMEM);
        }
    return result;
}

static enum registry_result suppression_list(struct registry *registry,
                                             struct registry_request *base)
{
    struct suppression_list_request *request = (struct suppression_list_request *)(void *)base;
    int error;

    request->n_rows = 0;
    request->rows = NULL;
    if (!request->limit || request->limit > MOST_ROWS)
        return refuse(base, REGISTRY_INVALID_VALUE, "a page has 1 to %d rows", (int)MOST_ROWS);
    request->rows = calloc(request->limit, sizeof(request->rows[0]));
    if (!request->rows)
        return registry_error(base, FAULT(-ENOMEM));
    error = read_page(registry, request);
    if (!error)
        return REGISTRY_OK;
    suppressions_free(request->rows, request->n_rows);
    request->rows = NULL;
    request->n_rows = 0;
    return registry_error(base, error);
}

bool registry_suppression_list(struct registry *registry, struct suppression_list_request *request)
{
    return registry_ask(registry, &request->request, suppression_list, false);
}

void suppressions_free(struct suppression *rows, uint32_t n_rows)
{
    for (uint32_t i = 0; i < n_rows; i++) {
        free(rows[i].address);
        free(rows[i].user);
        free(rows[i].reason);
        free(rows[i].by);
    }
    free(rows);
}
