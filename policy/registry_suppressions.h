/* What the registry can be asked about addresses that get no more mail; how to ask is said in
 * registry_users.h.
 * Thread: any. */
#pragma once

#include "policy/registry.h"

struct suppression_request {
    struct registry_request request;
    struct slice address; /* or a domain */
    struct slice user;    /* empty: for all users */
    struct slice reason;  /* add */
    int64_t until_utc_ms; /* add; 0: for good */
};
MUST_USE bool registry_suppression_add(struct registry *registry,
                                       struct suppression_request *request);
MUST_USE bool registry_suppression_delete(struct registry *registry,
                                          struct suppression_request *request);

/* A page of suppressions in order of address. */
struct suppression_list_request {
    struct registry_request request;
    struct slice after_address; /* the last row of the page before; empty: from the start */
    uint32_t after_user_id;
    uint32_t limit;           /* 1 to 1000 */
    struct suppression *rows; /* out; suppressions_free() gives them back */
    uint32_t n_rows;
};
struct suppression {
    char *address, *user, *reason, *by; /* user: empty for all */
    uint32_t user_id;
    int64_t since_utc_ms, until_utc_ms;
};
MUST_USE bool registry_suppression_list(struct registry *registry,
                                        struct suppression_list_request *request);
void suppressions_free(struct suppression *rows, uint32_t n_rows);
