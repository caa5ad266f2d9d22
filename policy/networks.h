/* Which user a peer's address belongs to: the longest matching prefix of a table that never changes
 * once built.  Addresses are compared as binary values, v4-mapped ones as v4.
 * Thread: any, after networks_build(). */
#pragma once

#include "relay/net/socket_address.h"

struct network_rule {
    struct network network;
    uint32_t user_id;
};

struct networks;

/* Copies the rules; of two equal networks the first wins (the registry allows only one).
 * Returns 0 or -ENOMEM. */
MUST_USE int networks_build(struct networks **out, const struct network_rule *rules,
                            uint32_t n_rules);
struct networks *networks_free(struct networks *networks); /* accepts NULL, returns NULL */

/* The rule with the longest prefix that contains the address, or NULL. */
const struct network_rule *networks_find(const struct networks *networks,
                                         struct ip_address address);
