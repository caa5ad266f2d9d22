#include "policy/registry_orders.h"

#include "policy/registry_internal.h"
#include "relay/base/clock.h"
#include "relay/net/socket_address.h"

enum {
    MOST_REASON_BYTES = 500,
    MOST_NAME_BYTES = 255,
    MOST_CAMPAIGN_BYTES = 400, /* of a user and a campaign */
    MOST_VIA_BYTES = 270,
    NAME_SIZE = 512,
    MOST_MESSAGES = 1000000000,
    MOST_CONNECTIONS = 20000,
};
_Static_assert((int)NAME_SIZE >= (int)IDN_SIZE, "a domain is a name too");
_Static_assert((int)NAME_SIZE >= (int)IP_TEXT_SIZE, "so is an address");

/* ---- names in their one form ---- */

static bool copy_lower(struct slice name, size_t most, char out[NAME_SIZE])
{
    if (!is_clean_text(name, most))
        return false;
    for (size_t i = 0; i < name.len; i++)
        out[i] = ascii_lower(name.data[i]);
    out[name.len] = '\0';
    return true;
}

/* As delivery names a site: "host:25", "[::1]:25", "mx1.example,mx2.example", "host:25#domain". */
static bool copy_site_name(struct slice name, char out[NAME_SIZE])
{
    bool has_mark = false;

    if (name.len == 0 || name.len >= NAME_SIZE)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.data[i]);
        bool is_mark = c == ':' || c == ',' || c == '#' || c == '[';

        if (!is_mark && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
            c != '-' && c != '_' && c != ']' && c != '*')
            return false;
        has_mark |= is_mark;
        out[i] = c;
    }
    out[name.len] = '\0';
    return has_mark && name.data[0] != '-';
}

static bool is_plain_word(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '-' && *c != '_' &&
            *c != '.')
            return false;
    return true;
}

static bool copy_destination(struct slice name, char out[NAME_SIZE])
{
    return idn_to_ascii(name, out) == 0 || copy_site_name(name, out);
}

static bool copy_word(struct slice name, char out[NAME_SIZE])
{
    return copy_lower(name, MOST_NAME_BYTES, out) && is_plain_word(out);
}

static bool copy_text(struct slice name, char out[NAME_SIZE])
{
    return copy_lower(name, MOST_NAME_BYTES, out);
}

static bool copy_campaign(struct slice name, char out[NAME_SIZE])
{
    struct slice user, rest;

    return order_campaign_split(name, &user, &rest) && user.len && rest.len &&
           copy_lower(name, MOST_CAMPAIGN_BYTES, out);
}

static bool copy_address(struct slice name, char out[NAME_SIZE])
{
    struct ip_address address;

    if (!ip_parse(name, &address))
        return false;
    ip_print(address, out);
    return true;
}

static const struct {
    bool (*copy)(struct slice name, char out[NAME_SIZE]);
    const char *wanted;
} forms[N_ORDER_SCOPES] = {
    [ORDER_OF_DESTINATION] = {copy_destination,
                              "no destination: a domain is, or a name that destination list shows" },
    [ORDER_OF_PROVIDER] = {copy_word,        "no name of a provider"                            },
    [ORDER_OF_USER] = {copy_text,        "no name of a user"                                },
    [ORDER_OF_CAMPAIGN] = {copy_campaign,    "no campaign: USER/NAME is, or */NAME of all users"},
    [ORDER_OF_ADDRESS] = {copy_address,     "no IP address"                                    },
};

static enum registry_result parse_name(struct registry *registry, struct registry_request *base,
                                       enum order_scope scope, struct slice name,
                                       char out[NAME_SIZE])
{
    struct slice user = name, ignored_name;
    int64_t ignored;

    if (!forms[scope].copy(name, out))
        return refuse(base, REGISTRY_INVALID_NAME, "\"%.*s\" is %s", TEXT(name),
                      forms[scope].wanted);
    if (scope == ORDER_OF_CAMPAIGN)
        (void)order_campaign_split(name, &user, &ignored_name);
    if (scope == ORDER_OF_USER ||
        (scope == ORDER_OF_CAMPAIGN && !slice_equal(user, SLICE_LITERAL("*"))))
        return registry_find_user(registry, base, user, &ignored);
    return REGISTRY_OK;
}

/* ---- giving an order ---- */

static bool has_limits(const struct order_limits *limits)
{
    return limits->connections || limits->messages_per_second || limits->messages_per_minute ||
           limits->messages_per_hour || limits->messages_per_day;
}

static bool are_bounded(const struct order_limits *limits)
{
    return limits->connections <= MOST_CONNECTIONS &&
           limits->messages_per_second <= MOST_MESSAGES &&
           limits->messages_per_minute <= MOST_MESSAGES &&
           limits->messages_per_hour <= MOST_MESSAGES && limits->messages_per_day <= MOST_MESSAGES;
}

static enum registry_result check_way(struct order_request *request)
{
    const struct order *order = &request->order;

    if (order->scope != ORDER_OF_DESTINATION && order->scope != ORDER_OF_PROVIDER &&
        !slice_starts_with(order->via, SLICE_LITERAL("pool:")))
        return refuse(&request->request, REGISTRY_INVALID_VALUE,
                      "mail of a user, a campaign or an address can be led to a pool: pool:NAME");
    if (!is_clean_text(request->order.via, MOST_VIA_BYTES))
        return refuse(&request->request, REGISTRY_INVALID_VALUE, "say where to: a next hop");
    return REGISTRY_OK;
}

static enum registry_result check_action(struct order_request *request)
{
    const struct order *order = &request->order;

    if (order->action == ORDER_THROTTLE &&
        (!has_limits(&order->limits) || !are_bounded(&order->limits)))
        return refuse(&request->request, REGISTRY_INVALID_VALUE,
                      "say how slow: connections (up to %d), or messages a second, minute, hour "
                      "or day",
                      (int)MOST_CONNECTIONS);
    if (order->action == ORDER_THROTTLE && order->limits.connections &&
        (order->scope == ORDER_OF_USER || order->scope == ORDER_OF_CAMPAIGN))
        return refuse(&request->request, REGISTRY_INVALID_VALUE,
                      "connections belong to destinations; say messages a second, minute, hour or "
                      "day");
    return order->action == ORDER_REROUTE ? check_way(request) : REGISTRY_OK;
}

static enum registry_result check_order(struct order_request *request)
{
    if (!is_clean_text(request->order.reason, MOST_REASON_BYTES))
        return refuse(&request->request, REGISTRY_INVALID_VALUE,
                      "a reason has 1 to %d bytes of text", (int)MOST_REASON_BYTES);
    if (request->order.until_utc_ms && request->order.until_utc_ms <= clock_utc_ms())
        return refuse(&request->request, REGISTRY_INVALID_VALUE, "the end is in the past");
    return check_action(request);
}

/* What is over goes at the next occasion; then there must be room. */
static enum registry_result make_room(struct registry *registry, struct registry_request *base)
{
    struct statement *count = db_statement(registry->db, STAFFETTA_COUNT_ORDERS);
    int result = registry_run_number(registry, STAFFETTA_DELETE_ENDED_ORDERS, clock_utc_ms());
    int64_t n_orders;

    if (result < 0)
        return registry_error(base, result);
    result = statement_step(count);
    n_orders = result == STATEMENT_ROW ? column_number(count, 0) : 0;
    statement_reset(count);
    if (result < 0)
        return registry_error(base, result);
    if (n_orders >= REGISTRY_MOST_ORDERS)
        return refuse(base, REGISTRY_INVALID_VALUE, "%d orders stand already; end some",
                      (int)REGISTRY_MOST_ORDERS);
    return REGISTRY_OK;
}

static struct slice or_empty(struct slice text)
{
    return text.data ? text : SLICE_LITERAL("");
}

static int store(struct registry *registry, const struct order_request *request, const char *name)
{
    struct statement *change = db_statement(registry->db, STAFFETTA_PUT_ORDER);
    const struct order *order = &request->order;

    bind_text(change, 1, slice_of(order_scope_name(order->scope)));
    bind_text(change, 2, slice_of(name));
    bind_text(change, 3, slice_of(order_action_name(order->action)));
    bind_number(change, 4, order->limits.connections);
    bind_number(change, 5, order->limits.messages_per_second);
    bind_number(change, 6, order->limits.messages_per_minute);
    bind_number(change, 7, order->limits.messages_per_hour);
    bind_number(change, 8, order->limits.messages_per_day);
    bind_text(change, 9, or_empty(order->via));
    bind_text(change, 10, order->reason);
    bind_text(change, 11, or_empty(request->request.by));
    bind_number(change, 12, clock_utc_ms());
    bind_number(change, 13, order->until_utc_ms);
    return statement_run(change);
}

static enum registry_result order(struct registry *registry, struct registry_request *base)
{
    static const enum event_kind events[N_ORDER_ACTIONS] = {
        [ORDER_SUSPEND] = EVENT_DESTINATION_SUSPENDED,
        [ORDER_THROTTLE] = EVENT_DESTINATION_THROTTLED,
        [ORDER_REROUTE] = EVENT_DESTINATION_REROUTED,
    };
    struct order_request *request = (struct order_request *)(void *)base;
    const struct order *asked = &request->order;
    char name[NAME_SIZE];
    enum registry_result result = parse_name(registry, base, asked->scope, asked->name, name);
    int error;

    if (result == REGISTRY_OK)
        result = check_order(request);
    if (result == REGISTRY_OK)
        result = make_room(registry, base);
    if (result != REGISTRY_OK)
        return result;
    error = store(registry, request, name);
    if (error)
        return registry_error(base, error);
    order_subject_print(asked->scope, slice_of(name), request->subject);
    registry_log(base, events[asked->action],
                 (const struct event_field[]){field_text("dest", request->subject),
                                              field_slice("reason", asked->reason),
                                              field_number("until", asked->until_utc_ms)},
                 3);
    return REGISTRY_OK;
}

bool registry_order(struct registry *registry, struct order_request *request)
{
    return registry_ask(registry, &request->request, order, true);
}

/* ---- ending it ---- */

static int delete_orders(struct registry *registry, const struct order_end_request *request,
                         const char *name)
{
    struct statement *change = db_statement(
        registry->db, request->is_one ? STAFFETTA_DELETE_ORDER : STAFFETTA_DELETE_ORDERS);

    bind_text(change, 1, slice_of(order_scope_name(request->scope)));
    bind_text(change, 2, slice_of(name));
    if (request->is_one)
        bind_text(change, 3, slice_of(order_action_name(request->action)));
    return statement_run(change);
}

static enum registry_result end(struct registry *registry, struct registry_request *base)
{
    struct order_end_request *request = (struct order_end_request *)(void *)base;
    char name[NAME_SIZE];
    enum registry_result result = parse_name(registry, base, request->scope, request->name, name);
    int error;

    if (result != REGISTRY_OK)
        return result;
    error = delete_orders(registry, request, name);
    if (error)
        return registry_error(base, error);
    order_subject_print(request->scope, slice_of(name), request->subject);
    if (!db_changes(registry->db))
        return refuse(base, REGISTRY_NOT_FOUND, "no order stands for \"%.200s\"", request->subject);
    registry_log(base, EVENT_DESTINATION_RESUMED,
                 (const struct event_field[]){field_text("dest", request->subject)}, 1);
    return REGISTRY_OK;
}

bool registry_order_end(struct registry *registry, struct order_end_request *request)
{
    return registry_ask(registry, &request->request, end, true);
}

/* ---- whom they are about ---- */

/* His mail that waits knows his number only: who is gone cannot be kept from sending it. */
enum registry_result registry_expect_no_suspension(struct registry *registry,
                                                   struct registry_request *base, struct slice name,
                                                   int64_t id)
{
    struct statement *find = db_statement(registry->db, STAFFETTA_SUSPENSION_OF);
    enum registry_result refusal = REGISTRY_OK;
    int result;

    bind_number(find, 1, id);
    bind_number(find, 2, clock_utc_ms());
    result = statement_step(find);
    if (result == STATEMENT_ROW)
        refusal = refuse(base, REGISTRY_SUSPENDED,
                         "%.*s \"%.*s\" is suspended, and the mail that waits would leave: end "
                         "that mail and the suspension, then delete user \"%.*s\"",
                         TEXT(column_text(find, 0)), TEXT(column_text(find, 1)), TEXT(name));
    statement_reset(find);
    return result < 0 ? registry_error(base, result) : refusal;
}
