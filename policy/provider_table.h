/* The receiving providers we know by name, from policy/providers.conf or the operator's copy: which
 * sites belong to them, and how fast and how wide they take mail.  A site belongs to a provider
 * when its domain is listed, or when every one of its mail hosts is: a set that is only partly
 * theirs falls out, and the block `mixed` says how carefully it is treated. Pure; immutable once
 * read.  Thread: any. */
#pragma once

#include "policy/data_lines.h"
#include "relay/base/arena.h"

/* 0: nothing said. */
struct provider_limits {
    uint32_t connections;         /* of all our addresses together */
    uint32_t address_connections; /* of each of our addresses */
    uint32_t connection_messages;
    uint32_t connections_per_minute;
    uint32_t messages_per_second, messages_per_minute, messages_per_hour, messages_per_day;
    uint32_t transaction_recipients;
    int64_t idle_ms, dot_timeout_ms;
    bool tls_required;
};

struct provider_entry {
    struct slice name; /* [a-z0-9-]+ */
    uint64_t hash;
    struct provider_limits limits;
    const struct slice *mx; /* ".example.net": hosts below it; "mx.example.net": that host */
    size_t n_mx;
    const struct slice *not_mx; /* hosts below `mx` that are somebody else's */
    size_t n_not_mx;
    const struct slice *domains; /* recipient domains; ".example.org": those below it */
    size_t n_domains;
    unsigned line;
    uint16_t index;
};

enum { PROVIDER_MOST = 500, PROVIDER_NAME_MOST = 40 };

struct provider_table {
    struct provider_entry *entries;
    size_t n_entries;
    const struct provider_entry *mixed; /* not among the entries; NULL: none */
};

/* Reads the file into arena; what is wrong goes to problem.  0, -EINVAL or -ENOMEM. */
MUST_USE int provider_table_read(struct provider_table *out, const struct data_file *file,
                                 struct arena *arena, struct buffer *problem);

const struct provider_entry *provider_table_named(const struct provider_table *table,
                                                  struct slice name); /* NULL: none */

/* Whose site is this?  Names in any case, with or without a last dot.  NULL: nobody's we know;
 * the entry `mixed` when only part of the hosts is somebody's. */
const struct provider_entry *provider_table_match(const struct provider_table *table,
                                                  struct slice domain, const struct slice *hosts,
                                                  size_t n_hosts);
