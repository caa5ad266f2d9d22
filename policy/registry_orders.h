/* What the registry can be asked about operators' orders (policy/orders.h); how to ask is said in
 * registry_users.h.  Which stand is read in the snapshot.
 * Thread: any. */
#pragma once

#include "policy/orders.h"
#include "policy/registry.h"

enum { REGISTRY_MOST_ORDERS = 10000 };

struct order_request {
    struct registry_request request;  /* .by is kept with the order */
    struct order order;               /* .by, .user_id and .since_utc_ms are the registry's */
    char subject[ORDER_SUBJECT_SIZE]; /* the registry's, as the log names it */
};
/* Takes the place of an order of the same kind for the same name. */
MUST_USE bool registry_order(struct registry *registry, struct order_request *request);

/* Ends the order of that action, or all that stand for .scope and .name. */
struct order_end_request {
    struct registry_request request;
    enum order_scope scope;
    struct slice name;
    bool is_one; /* only that of action */
    enum order_action action;
    char subject[ORDER_SUBJECT_SIZE]; /* the registry's */
};
MUST_USE bool registry_order_end(struct registry *registry, struct order_end_request *request);
