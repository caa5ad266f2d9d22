#include "policy/registry_domains.h"

#include <errno.h>

#include "policy/registry_internal.h"
#include "relay/base/clock.h"

static enum registry_result parse_domain(struct registry_request *request, struct slice name,
                                         char out[IDN_SIZE])
{
    return idn_to_ascii(name, out) == 0
               ? REGISTRY_OK
               : refuse(request, REGISTRY_INVALID_NAME, "\"%.*s\" is no domain", TEXT(name));
}

enum registry_result registry_find_domain(struct registry *registry,
                                          struct registry_request *request, struct slice name,
                                          int64_t *id)
{
    char domain[IDN_SIZE];
    enum registry_result parsed = parse_domain(request, name, domain);
    struct statement *find;
    int result;

    if (parsed != REGISTRY_OK)
        return parsed;
    find = db_statement(registry->db, STAFFETTA_FIND_DOMAIN);
    bind_text(find, 1, slice_of(domain));
    result = statement_step(find);
    if (result == STATEMENT_ROW)
        *id = column_number(find, 0);
    statement_reset(find);
    if (result < 0)
        return registry_error(request, result);
    return result == STATEMENT_ROW
               ? REGISTRY_OK
               : refuse(request, REGISTRY_NOT_FOUND, "there is no domain \"%s\"", domain);
}

static void log_domain(struct domain_request *request, const char *change)
{
    const struct event_field fields[] = {field_slice("domain", request->name),
                                         field_text("change", change)};

    registry_log(&request->request, EVENT_DOMAIN_CHANGED, fields, 2);
}

static enum registry_result domain_add(struct registry *registry, struct registry_request *base)
{
    struct domain_request *request = (struct domain_request *)(void *)base;
    char domain[IDN_SIZE];
    enum registry_result parsed = parse_domain(base, request->name, domain);
    struct statement *insert;
    int error;

    if (parsed != REGISTRY_OK)
        return parsed;
    insert = db_statement(registry->db, STAFFETTA_ADD_DOMAIN);
    bind_text(insert, 1, slice_of(domain));
    bind_number(insert, 2, request->requires_signing);
    bind_number(insert, 3, clock_utc_ms());
    error = statement_run(insert);
    if (error == -EEXIST)
        return refuse(base, REGISTRY_EXISTS, "there is a domain \"%s\" already", domain);
    if (error)
        return registry_error(base, error);
    log_domain(request, "added");
    return REGISTRY_OK;
}

bool registry_domain_add(struct registry *registry, struct domain_request *request)
{
    return registry_ask(registry, &request->request, domain_add, true);
}

static int set_requires_signing(struct registry *registry, int64_t id, bool requires_signing)
{
    struct statement *change = db_statement(registry->db, STAFFETTA_SET_DOMAIN_REQUIRES_SIGNING);

    bind_number(change, 1, id);
    bind_number(change, 2, requires_signing);
    return statement_run(change);
}

static enum registry_result domain_options(struct registry *registry, struct registry_request *base)
{
    struct domain_request *request = (struct domain_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_domain(registry, base, request->name, &id);

    if (result == REGISTRY_OK)
        result =
            registry_stored(base, set_requires_signing(registry, id, request->requires_signing));
    if (result == REGISTRY_OK)
        log_domain(request, "options");
    return result;
}

bool registry_domain_options(struct registry *registry, struct domain_request *request)
{
    return registry_ask(registry, &request->request, domain_options, true);
}

static int delete_domain(struct registry *registry, int64_t id)
{
    int error = registry_run_number(registry, STAFFETTA_DELETE_KEYS_OF, id);

    return error ? error : registry_run_number(registry, STAFFETTA_DELETE_DOMAIN, id);
}

static enum registry_result domain_delete(struct registry *registry, struct registry_request *base)
{
    struct domain_request *request = (struct domain_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_domain(registry, base, request->name, &id);

    if (result == REGISTRY_OK)
        result = registry_stored(base, delete_domain(registry, id));
    if (result == REGISTRY_OK)
        log_domain(request, "deleted");
    return result;
}

bool registry_domain_delete(struct registry *registry, struct domain_request *request)
{
    return registry_ask(registry, &request->request, domain_delete, true);
}
