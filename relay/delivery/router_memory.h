/* What DNS said of a domain, in shard->routes; the router writes it.  Thread: the loop's. */
#pragma once

#include "relay/delivery/memo.h"
#include "relay/delivery/target.h"
#include "relay/net/resolver.h"

struct cached_route {
    struct memo_item item;
    enum mx_status status;
    int64_t fresh_until_ms;
    struct slice site_name; /* MX_OK */
    struct target_host *hosts;
    size_t n_hosts;
    char why[DNS_WHY_SIZE];
    struct arena arena;
};
