#include "policy/registry_domains.h"

#include <errno.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

enum { MOST_KEY_BYTES = 2048 };

static void log_key(struct domain_key_request *request, enum event_kind event, const char *change)
{
    const struct event_field fields[] = {field_slice("domain", request->domain),
                                         field_slice("selector", request->selector),
                                         field_text("change", change)};

    registry_log(&request->request, event, fields, 3);
}

static bool is_base64(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i], lower = ascii_lower(c);

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '/' &&
            c != '=')
            return false;
    }
    return text.len && text.len <= MOST_KEY_BYTES;
}

static enum registry_result insert_key(struct registry *registry,
                                       struct domain_key_request *request, int64_t domain_id,
                                       const char *selector)
{
    struct statement *insert = db_statement(registry->db, STAFFETTA_ADD_KEY);
    int error;

    bind_number(insert, 1, domain_id);
    bind_text(insert, 2, slice_of(selector));
    bind_text(insert, 3, slice_of(domain_key_type_name(request->type)));
    bind_text(insert, 4, request->public_key);
    bind_number(insert, 5, clock_utc_ms());
    error = statement_run(insert);
    if (error == -EEXIST)
        return refuse(&request->request, REGISTRY_EXISTS,
                      "the domain has a key with selector \"%s\" already", selector);
    return registry_stored(&request->request, error);
}

static enum registry_result key_add(struct registry *registry, struct registry_request *base)
{
    struct domain_key_request *request = (struct domain_key_request *)(void *)base;
    char selector[IDN_SIZE];
    int64_t domain_id;
    enum registry_result result = registry_find_domain(registry, base, request->domain, &domain_id);

    if (result != REGISTRY_OK)
        return result;
    if (idn_to_ascii(request->selector, selector) != 0)
        return refuse(base, REGISTRY_INVALID_NAME, "\"%.*s\" is no selector",
                      TEXT(request->selector));
    if (!is_base64(request->public_key))
        return refuse(base, REGISTRY_INVALID_VALUE, "the public key is not base64");
    result = insert_key(registry, request, domain_id, selector);
    request->is_active = false;
    if (result == REGISTRY_OK)
        log_key(request, EVENT_KEY_CREATED, "added");
    return result;
}

bool registry_key_add(struct registry *registry, struct domain_key_request *request)
{
    return registry_ask(registry, &request->request, key_add, true);
}

struct key_row {
    int64_t id, domain_id;
    enum domain_key_type type;
    bool is_judged;
};

static enum registry_result find_key(struct registry *registry, struct domain_key_request *request,
                                     struct key_row *out)
{
    struct registry_request *base = &request->request;
    char selector[IDN_SIZE];
    enum registry_result found =
        registry_find_domain(registry, base, request->domain, &out->domain_id);
    struct statement *find;
    int result;

    if (found != REGISTRY_OK)
        return found;
    find = db_statement(registry->db, STAFFETTA_FIND_KEY);
    bind_number(find, 1, out->domain_id);
    bind_text(find, 2,
              idn_to_ascii(request->selector, selector) == 0 ? slice_of(selector)
                                                             : request->selector);
    result = statement_step(find);
    if (result == STATEMENT_ROW) {
        out->id = column_number(find, 0);
        domain_key_type_parse(column_text(find, 1), &out->type);
        out->is_judged = column_number(find, 2);
        request->is_active = column_number(find, 3);
    }
    statement_reset(find);
    if (result < 0)
        return registry_error(base, result);
    return result == STATEMENT_ROW
               ? REGISTRY_OK
               : refuse(base, REGISTRY_NOT_FOUND, "the domain has no key with selector \"%.*s\"",
                        TEXT(request->selector));
}

static enum registry_result key_judged(struct registry *registry, struct registry_request *base)
{
    struct domain_key_request *request = (struct domain_key_request *)(void *)base;
    struct key_row row;
    enum registry_result result = find_key(registry, request, &row);

    if (result == REGISTRY_OK)
        result = registry_stored(base, registry_run_number(registry, STAFFETTA_JUDGE_KEY, row.id));
    return result;
}

bool registry_key_judged(struct registry *registry, struct domain_key_request *request)
{
    return registry_ask(registry, &request->request, key_judged, true);
}

static int count_active(struct registry *registry, const struct key_row *row, int64_t *n_active)
{
    struct statement *count = db_statement(registry->db, STAFFETTA_ACTIVE_KEYS);
    int result;

    bind_number(count, 1, row->domain_id);
    bind_text(count, 2, slice_of(domain_key_type_name(row->type)));
    result = statement_step(count);
    *n_active = result == STATEMENT_ROW ? column_number(count, 0) : 0;
    statement_reset(count);
    return result < 0 ? result : 0;
}

static enum registry_result activate(struct registry *registry, struct domain_key_request *request,
                                     const struct key_row *row)
{
    int64_t n_active;
    int error = count_active(registry, row, &n_active);

    if (!error && request->only_if_first && n_active)
        return REGISTRY_OK; /* is_active says what it is */
    if (!error)
        error = registry_run_number_text(registry, STAFFETTA_REST_KEYS, row->domain_id,
                                         slice_of(domain_key_type_name(row->type)));
    if (!error)
        error = registry_run_number(registry, STAFFETTA_ACTIVATE_KEY, row->id);
    if (error)
        return registry_error(&request->request, error);
    request->is_active = true;
    log_key(request, EVENT_KEY_ACTIVE, "activated");
    return REGISTRY_OK;
}

static enum registry_result key_activate(struct registry *registry, struct registry_request *base)
{
    struct domain_key_request *request = (struct domain_key_request *)(void *)base;
    struct key_row row;
    enum registry_result result = find_key(registry, request, &row);

    if (result != REGISTRY_OK)
        return result;
    if (!row.is_judged)
        return refuse(base, REGISTRY_NOT_JUDGED,
                      "no signature of this key has been verified yet, so it cannot be active");
    return activate(registry, request, &row);
}

bool registry_key_activate(struct registry *registry, struct domain_key_request *request)
{
    return registry_ask(registry, &request->request, key_activate, true);
}

static enum registry_result key_delete(struct registry *registry, struct registry_request *base)
{
    struct domain_key_request *request = (struct domain_key_request *)(void *)base;
    struct key_row row;
    enum registry_result result = find_key(registry, request, &row);

    if (result == REGISTRY_OK)
        result = registry_stored(base, registry_run_number(registry, STAFFETTA_DELETE_KEY, row.id));
    if (result != REGISTRY_OK)
        return result;
    request->is_active = false;
    log_key(request, EVENT_DOMAIN_CHANGED, "key deleted");
    return REGISTRY_OK;
}

bool registry_key_delete(struct registry *registry, struct domain_key_request *request)
{
    return registry_ask(registry, &request->request, key_delete, true);
}
