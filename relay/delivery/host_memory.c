#include "relay/delivery/host_memory.h"

#include <stdlib.h>

enum {
    DEAD_MS = 5 * 60 * 1000,
    TLS_BROKEN_MS = 24 * 60 * 60 * 1000,
    V6_BROKEN_MS = 60 * 60 * 1000,
};

struct host {
    struct memo_item item;
    bool is_silent; /* since it could not be reached */
    int64_t dead_until_ms, tls_broken_until_ms, v6_broken_until_ms;
    char name[];
};

static struct host *host_of(struct memo_item *item)
{
    return CONTAINER_OF(item, struct host, item);
}

static void free_host(struct memo_item *item)
{
    free(host_of(item));
}

void host_memory_init(struct memo *hosts)
{
    memo_init(hosts, HOST_MEMORY_MOST, free_host);
}

static struct host *remember(struct memo *hosts, struct slice name)
{
    struct memo_item *item = memo_find(hosts, name);
    struct host *host;

    if (item)
        return host_of(item);
    host = calloc(1, sizeof(*host) + name.len + 1);
    if (!host)
        return NULL;
    memcpy(host->name, name.data, name.len);
    host->item.key = slice_from(host->name, name.len);
    memo_add(hosts, &host->item);
    item = memo_find(hosts, name);
    return item ? host_of(item) : NULL;
}

void host_memory_note_dead(struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct host *host = remember(hosts, name);

    if (!host)
        return;
    host->dead_until_ms = now_ms + DEAD_MS;
    host->is_silent = true;
}

void host_memory_note_alive(struct memo *hosts, struct slice name)
{
    struct memo_item *item = memo_find(hosts, name);

    if (!item)
        return;
    host_of(item)->dead_until_ms = 0;
    host_of(item)->is_silent = false;
}

void host_memory_note_tls_broken(struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct host *host = remember(hosts, name);

    if (host)
        host->tls_broken_until_ms = now_ms + TLS_BROKEN_MS;
}

void host_memory_note_v6_broken(struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct host *host = remember(hosts, name);

    if (host)
        host->v6_broken_until_ms = now_ms + V6_BROKEN_MS;
}

bool host_memory_is_silent(const struct memo *hosts, struct slice name)
{
    struct memo_item *item = memo_find(hosts, name);

    return item && host_of(item)->is_silent;
}

bool host_memory_is_dead(const struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct memo_item *item = memo_find(hosts, name);

    return item && host_of(item)->dead_until_ms > now_ms;
}

bool host_memory_is_tls_broken(const struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct memo_item *item = memo_find(hosts, name);

    return item && host_of(item)->tls_broken_until_ms > now_ms;
}

bool host_memory_is_v6_broken(const struct memo *hosts, struct slice name, int64_t now_ms)
{
    struct memo_item *item = memo_find(hosts, name);

    return item && host_of(item)->v6_broken_until_ms > now_ms;
}
