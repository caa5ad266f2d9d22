/* What staffetta.db keeps of young addresses (warm_up.h).  Inside policy/ only.
 * Thread: requests from any; the load: the starting thread, before registry_start(). */
#pragma once

#include "policy/registry.h"
#include "policy/warm_up.h"

struct warm_up_row {
    struct slice address, provider; /* the asker's */
    struct warm_up_state state;
};

/* All of it in one transaction. */
struct warm_ups_request {
    struct registry_request request;
    uint32_t n_rows;
    const struct warm_up_row *rows;
};
MUST_USE bool registry_store_warm_ups(struct registry *registry, struct warm_ups_request *request);

/* Visits what is not too old to count; 0 or -errno, or what visit returned.  Slices are good during
 * the call. */
MUST_USE int registry_load_warm_ups(struct registry *registry,
                                    int (*visit)(void *owner, const struct warm_up_row *row),
                                    void *owner);
