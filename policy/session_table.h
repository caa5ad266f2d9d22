/* The counting behind sessions.h: how many sessions are open in all, per address, per user.
 * Thread: the owner's (policy thread); pure. */
#pragma once

#include "policy/key_table.h"
#include "policy/sessions.h"

struct session_limits {
    uint32_t in_all, per_address, per_user; /* 0: no limit */
};

struct session_table {
    struct session_limits limits; /* may be changed at any time; open sessions stay */
    uint32_t n_open;
    struct key_table counts; /* of addresses and users with at least one session */
};

void session_table_fini(struct session_table *table);

/* Opens one; *address_key goes back to session_table_close().  Without memory it is
 * SESSION_TOO_MANY. */
enum session_verdict session_table_open(struct session_table *table, struct ip_address peer,
                                        uint64_t *address_key);

/* Counts it for the user; most: the user's own limit, 0: the table's. */
enum session_verdict session_table_use(struct session_table *table, uint32_t user_id, uint32_t most,
                                       uint64_t *user_key);

/* How many sessions of the user are open. */
uint32_t session_table_of_user(const struct session_table *table, uint32_t user_id);

/* user_key 0: session_table_use() was not called, or refused. */
void session_table_close(struct session_table *table, uint64_t address_key, uint64_t user_key);
