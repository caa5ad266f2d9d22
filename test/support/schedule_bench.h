/* A schedule against a clock of its own, and its owner as the tests play it: it notes what it is
 * told, routes when told to, and delivers what is picked.
 * Thread: the test's. */
#pragma once

#include "relay/schedule/schedule.h"

enum { START_MS = 1000000 };

struct bench {
    struct schedule *schedule;
    int64_t now_ms;
    bool routes; /* domains lead to the site of their name at once */
    struct domain *wanted[64];
    unsigned n_wanted, n_expired, n_delayed, n_permits;
    struct entry *expired[64];
    struct pick pick;
    uint64_t next_id;
};

int bench_set_up(void **state); /* *state: the bench, with 1,000 permits */
int bench_tear_down(void **state);

int64_t utc_of(const struct bench *bench);
struct site_limits plain_limits(uint32_t connections);

struct stored *new_message(struct bench *bench, uint32_t user_id, enum message_class class);

/* One message with n recipients in domain; the test keeps no reference. */
struct stored *admit(struct bench *bench, const char *domain, uint32_t user_id,
                     enum message_class class, uint32_t n);

struct site *make_site(struct bench *bench, const char *name, struct site_limits limits);

/* All wanted domains lead to this site from now on. */
void route_all(struct bench *bench, struct site *site);

/* An urgent message for a domain of its own, which leads to the site of that name: of the provider
 * (NULL: of none), five connections wide. */
struct site *one_for(struct bench *bench, const char *name, struct provider *provider);

/* Fills bench->pick; false when nothing may leave now. */
bool next_pick(struct bench *bench);

/* The picked transaction went well; its connection is kept. */
void deliver(struct bench *bench);
