#include "policy/orders.h"

#include <stdio.h>

static const char *const scopes[N_ORDER_SCOPES] = {
    [ORDER_OF_DESTINATION] = "destination",
    [ORDER_OF_PROVIDER] = "provider",
    [ORDER_OF_USER] = "user",
    [ORDER_OF_CAMPAIGN] = "campaign",
    [ORDER_OF_ADDRESS] = "address",
};

static const char *const actions[N_ORDER_ACTIONS] = {
    [ORDER_SUSPEND] = "suspend",
    [ORDER_THROTTLE] = "throttle",
    [ORDER_REROUTE] = "reroute",
};

const char *order_scope_name(enum order_scope scope)
{
    return scopes[scope];
}

const char *order_action_name(enum order_action action)
{
    return actions[action];
}

bool order_scope_parse(struct slice name, enum order_scope *out)
{
    for (int i = 0; i < N_ORDER_SCOPES; i++)
        if (slice_equal(name, slice_of(scopes[i]))) {
            *out = (enum order_scope)i;
            return true;
        }
    return false;
}

bool order_action_parse(struct slice name, enum order_action *out)
{
    for (int i = 0; i < N_ORDER_ACTIONS; i++)
        if (slice_equal(name, slice_of(actions[i]))) {
            *out = (enum order_action)i;
            return true;
        }
    return false;
}

bool order_campaign_split(struct slice full, struct slice *user, struct slice *name)
{
    ptrdiff_t slash = slice_find(full, '/');

    *user = slash < 0 ? SLICE_LITERAL("*") : slice_head(full, (size_t)slash);
    *name = slash < 0 ? full : slice_skip(full, (size_t)slash + 1);
    return slash >= 0;
}

enum order_scope order_subject_parse(struct slice text, struct slice *name)
{
    ptrdiff_t colon = slice_find(text, ':');
    enum order_scope scope;

    *name = text;
    if (colon < 0 || !order_scope_parse(slice_head(text, (size_t)colon), &scope))
        return ORDER_OF_DESTINATION;
    *name = slice_skip(text, (size_t)colon + 1);
    return scope;
}

const char *order_subject_print(enum order_scope scope, struct slice name,
                                char out[ORDER_SUBJECT_SIZE])
{
    int len = name.len < 512 ? (int)name.len : 512;

    if (scope == ORDER_OF_DESTINATION)
        (void)snprintf(out, ORDER_SUBJECT_SIZE, "%.*s", len, name.data);
    else
        (void)snprintf(out, ORDER_SUBJECT_SIZE, "%s:%.*s", scopes[scope], len, name.data);
    return out;
}
