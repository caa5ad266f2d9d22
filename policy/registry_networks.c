#include <errno.h>

#include "policy/registry_internal.h"
#include "policy/registry_users.h"
#include "relay/base/clock.h"

/* Wider networks are a slip of the pen that would open the relay to a good part of the world. */
enum { WIDEST_V4 = 8, WIDEST_V6 = 16 };

static enum registry_result parse_cidr(struct registry_request *request, struct slice text,
                                       char out[SOCKET_TEXT_SIZE])
{
    struct network network;

    if (!network_parse(text, &network))
        return refuse(request, REGISTRY_INVALID_NETWORK,
                      "\"%.*s\" is no network: 192.0.2.0/24 or 2001:db8::/32 is, with zeros behind "
                      "the prefix",
                      TEXT(text));
    network_print(&network, out);
    if (network.prefix_bits < (network.first.family == AF_INET ? WIDEST_V4 : WIDEST_V6))
        return refuse(request, REGISTRY_INVALID_NETWORK,
                      "%s is too wide: everybody in it could send mail through this relay", out);
    return REGISTRY_OK;
}

/* Somebody's already: says whose. */
static enum registry_result refuse_taken(struct registry *registry,
                                         struct registry_request *request, const char *cidr)
{
    struct statement *find = db_statement(registry->db, STAFFETTA_FIND_NETWORK);
    enum registry_result result = REGISTRY_EXISTS;

    bind_text(find, 1, slice_of(cidr));
    if (statement_step(find) == STATEMENT_ROW)
        result = refuse(request, REGISTRY_EXISTS, "%s belongs to user \"%.*s\" already", cidr,
                        TEXT(column_text(find, 0)));
    statement_reset(find);
    return result;
}

enum registry_result registry_add_network(struct registry *registry,
                                          struct registry_request *request, int64_t user_id,
                                          struct slice cidr)
{
    char normal[SOCKET_TEXT_SIZE];
    enum registry_result result = parse_cidr(request, cidr, normal);
    struct statement *insert;
    int error;

    if (result != REGISTRY_OK)
        return result;
    insert = db_statement(registry->db, STAFFETTA_ADD_NETWORK);
    bind_text(insert, 1, slice_of(normal));
    bind_number(insert, 2, user_id);
    bind_number(insert, 3, clock_utc_ms());
    error = statement_run(insert);
    if (error == -EEXIST)
        return refuse_taken(registry, request, normal);
    return registry_stored(request, error);
}

static void log_network(struct network_request *request, const char *change)
{
    const struct event_field fields[] = {field_slice("network", request->cidr),
                                         field_slice("user", request->user),
                                         field_text("change", change)};

    registry_log(&request->request, EVENT_NETWORK_CHANGED, fields, 3);
}

static enum registry_result network_add(struct registry *registry, struct registry_request *base)
{
    struct network_request *request = (struct network_request *)(void *)base;
    int64_t id;
    enum registry_result result = registry_find_user(registry, base, request->user, &id);

    if (result == REGISTRY_OK)
        result = registry_add_network(registry, base, id, request->cidr);
    if (result == REGISTRY_OK)
        log_network(request, "added");
    return result;
}

bool registry_network_add(struct registry *registry, struct network_request *request)
{
    return registry_ask(registry, &request->request, network_add, true);
}

static enum registry_result network_delete(struct registry *registry, struct registry_request *base)
{
    struct network_request *request = (struct network_request *)(void *)base;
    char cidr[SOCKET_TEXT_SIZE];
    struct network network;
    struct statement *change;
    int error;

    if (!network_parse(request->cidr, &network))
        return parse_cidr(base, request->cidr, cidr);
    network_print(&network, cidr);
    change = db_statement(registry->db, STAFFETTA_DELETE_NETWORK);
    bind_text(change, 1, slice_of(cidr));
    error = statement_run(change);
    if (error)
        return registry_error(base, error);
    if (!db_changes(registry->db))
        return refuse(base, REGISTRY_NOT_FOUND, "%s belongs to no user", cidr);
    request->user = (struct slice){NULL, 0};
    log_network(request, "deleted");
    return REGISTRY_OK;
}

bool registry_network_delete(struct registry *registry, struct network_request *request)
{
    return registry_ask(registry, &request->request, network_delete, true);
}
