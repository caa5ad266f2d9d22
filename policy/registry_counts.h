/* What the policy thread keeps in staffetta.db: reserved budgets, daily counts, networks of logins,
 * and users whose mail is held by the brake.  Inside policy/ only.
 * Thread: requests from any; the loads: the starting thread, before registry_start(). */
#pragma once

#include "policy/brake_book.h"
#include "policy/period.h"
#include "policy/registry.h"

enum { COUNT_OWNER_SIZE = 272 };

struct count_row {
    char owner[COUNT_OWNER_SIZE]; /* "user:12", "domain:shop.example" */
    const char *budget;           /* a literal */
    struct period period;
    uint32_t value;
    unsigned told; /* percent */
};

/* All of it in one transaction, once an hour with the removal of what is past. */
struct counts_request {
    struct registry_request request;
    uint32_t n_rows, n_networks;
    struct count_row *rows;
    struct brake_network *networks; /* last_utc_ms: now */
};
MUST_USE bool registry_store_counts(struct registry *registry, struct counts_request *request);

/* Holds the user's mail; harmless when it is held already. */
struct brake_request {
    struct registry_request request;
    uint32_t user_id;
    struct brake_grounds grounds;
};
MUST_USE bool registry_brake_user(struct registry *registry, struct brake_request *request);

/* Visits what is not past; 0 or -errno, or what visit returned.  Slices are good during the call.
 */
struct stored_count {
    struct slice owner, budget;
    struct period period;
    uint32_t value;
    unsigned told;
};
MUST_USE int registry_load_counts(struct registry *registry,
                                  int (*visit)(void *owner, const struct stored_count *row),
                                  void *owner);
MUST_USE int registry_load_networks(struct registry *registry,
                                    int (*visit)(void *owner, const struct brake_network *network),
                                    void *owner);
