/* A resolver that asks the table of a name server (dns_server.h), and a loop for both; a test that
 * waits in vain ends.  Thread: the test's. */
#pragma once

#include "test/support/test_support.h"

#include "relay/base/secret.h"
#include "relay/net/resolver.h"
#include "test/unit/relay/net/dns_server.h"

enum { GUARD_MS = 60000 };

static struct dns_server server;
static struct loop *loop;
static struct resolver *resolver;
static struct timer guard;

static inline void on_guard(struct timer *timer)
{
    (void)timer;
    fail_msg("waited a minute in vain");
}

static inline int start_resolver(const struct dns_row *rows, size_t n_rows)
{
    struct resolver_settings settings = {
        .mode = RESOLVER_FORWARD, .forwarders = &server.address, .n_forwarders = 1};

    server.rows = rows;
    server.n_rows = n_rows;
    if (secret_start() < 0 || dns_server_start(&server) < 0 || loop_new(&loop, 0, 8) < 0)
        return -1;
    timer_init(&guard, loop, on_guard);
    timer_set(&guard, GUARD_MS);
    return resolver_new(&resolver, loop, &settings);
}

static inline void stop_resolver(void)
{
    resolver = resolver_free(resolver);
    timer_fini(&guard);
    loop = loop_free(loop);
    dns_server_stop(&server);
}
